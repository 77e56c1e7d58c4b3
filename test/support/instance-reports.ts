import type { InstanceLoad, InstancePhase, InstanceRecord, InstanceReport } from '#core'

/** What a test says of an instance; the rest is made up. */
export interface ReportSettings extends Partial<Omit<InstanceRecord, 'phase'>> {
  readonly phase?: InstancePhase
  readonly load?: Partial<InstanceLoad>
  /** Default: now by the clock of the test. */
  readonly sentAtMs?: number
}

/** A key that gateways and sidecars of tests share. */
export const instanceKey = 'key-of-the-tests-0123456789'

/** Makes a report of a ready instance `a` of `echo.fn`, changed by `settings`. */
export function reportOf({ load, sentAtMs = Date.now(), ...record }: ReportSettings = {}): InstanceReport {
  return {
    record: {
      id: 'a',
      name: 'echo',
      namespace: 'fn',
      address: '10.1.2.3',
      port: 8080,
      adminPort: 8082,
      secure: false,
      limit: 0,
      phase: 'ready',
      revision: 1,
      ...record,
    },
    load: { inFlight: 0, queued: 0, streams: 0, idleForMs: 0, ...load },
    sentAtMs,
  }
}

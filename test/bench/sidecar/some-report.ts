import type { InstancePhase, InstanceReport } from '#core'

/** What tells the reports of one instance apart. */
export interface SomeReport {
  readonly phase: InstancePhase
  readonly revision: number
  readonly sentAtMs: number
}

/** A report of instance number `index`, one of `perFunction` of its function; as long as real ones. */
export function someReport(index: number, perFunction: number, report: SomeReport): InstanceReport {
  const name = `function-${Math.floor(index / perFunction)}`
  return {
    record: {
      id: `${name}-7d9c5b6f4-${index}-5f0c2a91`,
      name,
      namespace: 'openfaas-fn',
      address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
      port: 8080,
      adminPort: 8082,
      secure: false,
      limit: 100,
      phase: report.phase,
      revision: report.revision,
    },
    load: { inFlight: index % 7, queued: 0, streams: index % 2, idleForMs: 0 },
    sentAtMs: report.sentAtMs,
  }
}

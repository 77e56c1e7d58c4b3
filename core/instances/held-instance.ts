import { functionIdentity } from '../provider/function-identity.ts'
import type { KnownInstance } from './instance-directory.ts'
import type { InstanceLoad, InstanceRecord, InstanceReport } from './instance-record.ts'

/**
 * By what the lease of an instance was prolonged last.
 * - `report`: its sidecar spoke to this gateway
 * - `store`: another gateway said that it lives
 */
export type LeaseBasis = 'report' | 'store'

/** A lease of an instance, by the monotonic clock of this gateway. */
export interface InstanceLease {
  readonly untilMs: number
  readonly basis: LeaseBasis
  /** Whether it was prolonged last because nobody could be heard; that happens once. */
  readonly isExtended?: boolean
}

/** One record of an instance with what changes while it stands: only the directory touches that. */
export class HeldInstance implements KnownInstance {
  readonly record: InstanceRecord
  readonly functionKey: string
  readonly origin: string
  load: InstanceLoad
  /** When the newest report was sent that was heard here, by the sidecar's clock; 0 when none was. */
  sentAtMs: number
  lease: InstanceLease
  /** Monotonic; when the store was last known to be given this record with a signature; -Infinity for never. */
  sharedAtMs = Number.NEGATIVE_INFINITY

  /** Monotonic; when its sidecar spoke to this gateway last; -Infinity for never. */
  reportedAtMs = Number.NEGATIVE_INFINITY

  constructor({ record, load, sentAtMs }: InstanceReport, lease: InstanceLease) {
    const { name, namespace, address, port, secure } = record
    this.record = record
    this.functionKey = functionIdentity(name, namespace).key
    this.origin = `${secure ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`
    this.load = load
    this.sentAtMs = sentAtMs
    this.lease = lease
  }

  get isReady(): boolean {
    return this.record.phase === 'ready'
  }

  /** The newest report, as it can be signed again. */
  get report(): InstanceReport {
    const { record, load, sentAtMs } = this
    return { record, load, sentAtMs }
  }
}

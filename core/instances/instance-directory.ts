import { token } from '../container/token.ts'
import type { InstanceLoad, InstanceRecord, InstanceReport } from './instance-record.ts'

/** An instance as this gateway knows it. One object per record: a new record makes a new one. */
export interface KnownInstance {
  readonly record: InstanceRecord
  /** Key of its function. */
  readonly functionKey: string
  /** `http://address:port` or `https://address:port`. */
  readonly origin: string
  /** The newest that was heard; replaced without an event. */
  readonly load: InstanceLoad
}

/** Told of every change of a record after the directory holds it, of the end of a lease, and of a departure. */
export type InstanceListener = (instance: KnownInstance, change: 'taken' | 'gone') => void

/** What this gateway knows of the instances of all functions: the look-up of direct routing. Never does I/O. */
export interface InstanceDirectory {
  /** Instances of a function that take calls, in the order of their ids. The same list object until one of them changes. */
  ready(functionKey: string): readonly KnownInstance[]
  /** All instances of a function, or of all functions. */
  all(functionKey?: string): Iterable<KnownInstance>
  subscribe(listener: InstanceListener): Disposable
}

/** Token of the {@link InstanceDirectory}. */
export const InstanceDirectory = token<InstanceDirectory>('InstanceDirectory')

/** What becomes of a report. */
export interface InstanceReceipt {
  /** Milliseconds until the instance is forgotten unless another report comes. */
  readonly ttlMs: number
  /** For an instance that leaves: other gateways that have taken it out, and those that have not said so in time. */
  readonly acknowledged: number
  readonly silent: number
}

/** Takes reports of sidecars for all gateways of the fleet. */
export interface InstanceRegistry {
  /**
   * Takes a report over that was verified. Idempotent: one that says nothing new prolongs the lease. Resolves when this gateway acts on
   * it and the others have been told; for an instance that leaves, when they have acknowledged, one second at most.
   *
   * An instance that becomes ready has its function announced as ready. While the shared store cannot be used, this gateway alone knows.
   *
   * @throws GatewayError `request_invalid` (see `isOutdated`) for a revision older than one that was taken, or from before the instance
   *   left; `overloaded` when this gateway knows too many instances
   */
  take(report: InstanceReport): Promise<InstanceReceipt>
}

/** Token of the {@link InstanceRegistry}. */
export const InstanceRegistry = token<InstanceRegistry>('InstanceRegistry')

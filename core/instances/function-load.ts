import type { InstanceDirectory } from './instance-directory.ts'

/** What a function has to do, by the newest word of all of its instances: the verdict on whether it is idle. */
export interface FunctionLoad {
  /** Instances that are known, in any phase. */
  readonly instances: number
  readonly ready: number
  /** Calls that instances work on, streams and upgraded connections included. */
  readonly inFlight: number
  /** Calls that wait in sidecars. */
  readonly queued: number
  /** Of those in flight: event streams and upgraded connections. */
  readonly streams: number
  /** Milliseconds since a call last began or ended at any instance; 0 while one is in flight, undefined without an instance. */
  readonly idleForMs: number | undefined
}

/** Adds up what the instances of a function have said. Each of them says so at every heartbeat, so it may be some seconds old. */
export function functionLoad(directory: Pick<InstanceDirectory, 'all'>, functionKey: string): FunctionLoad {
  const sum = { instances: 0, ready: 0, inFlight: 0, queued: 0, streams: 0 }
  let idleForMs: number | undefined
  for (const { record, load } of directory.all(functionKey)) {
    sum.instances += 1
    if (record.phase === 'ready') sum.ready += 1
    sum.inFlight += load.inFlight
    sum.queued += load.queued
    sum.streams += load.streams
    idleForMs = Math.min(idleForMs ?? Number.POSITIVE_INFINITY, load.idleForMs)
  }
  return { ...sum, idleForMs }
}

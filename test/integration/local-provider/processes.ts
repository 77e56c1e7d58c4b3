import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a provider has noted of the processes that run. */
export interface NotedProcesses {
  readonly sidecars: readonly number[]
  /** Those that sidecars have started. */
  readonly functions: readonly number[]
}

/** Reads the records in a state directory. */
export function processesIn(directory: string): NotedProcesses {
  const replicas = join(directory, 'replicas')
  return {
    sidecars: namesIn(join(directory, 'processes')).map(Number),
    functions: namesIn(replicas).flatMap((instance) => namesIn(join(replicas, instance)).map(Number)),
  }
}

/** Whether a process runs: one that has ended and was not waited for does not. */
export function isAlive(pid: number | string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0
/** The CPUs that this process was given, as `taskset` takes them. */
const allCpus = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'

/** Words to put before a command so that it runs on the CPU of the contenders; none where `taskset` is missing. */
export const onContenderCpu: readonly string[] = canPin ? ['taskset', '-c', '0'] : []

/** Words to put before a command so that it runs on the CPU of load generator and upstream. */
export const onLoadCpu: readonly string[] = canPin ? ['taskset', '-c', '1'] : []

/** One sentence about what was pinned, for the head of a report. */
export const pinningNote = canPin
  ? 'contenders pinned to CPU 0, load generator and upstream to CPU 1 (taskset)'
  : 'nothing pinned (taskset missing or one CPU): figures per core are not comparable'

/** Moves this process, which makes the calls of cold starts, to the CPU of the load generator; what it starts follows. */
export function pinThisProcess(): void {
  moveThisProcess('1')
}

/** Lets this process, and what it starts from now on, run on every CPU again. */
export function unpinThisProcess(): void {
  moveThisProcess(allCpus)
}

function moveThisProcess(cpus: string): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', cpus, String(process.pid)])
}

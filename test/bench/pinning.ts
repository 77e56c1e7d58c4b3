import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0
/** The CPUs that this process was given, as `taskset` takes them. */
const allCpus = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'

const canBind = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0
/** Has the kernel end what is started when this process is gone, even by SIGKILL; prctl(2), PR_SET_PDEATHSIG. */
const bound: readonly string[] = canBind ? ['setpriv', '--pdeathsig', 'KILL'] : []

/** Words to put before a command so that it ends with this process, on whatever CPU it is. */
export const onAnyCpu: readonly string[] = bound

/** Words to put before a command so that it runs on the CPU of the contenders; any CPU where `taskset` is missing. */
export const onContenderCpu: readonly string[] = canPin ? [...bound, 'taskset', '-c', '0'] : bound

/** Words to put before a command so that it runs on the CPU of load generator and upstream. */
export const onLoadCpu: readonly string[] = canPin ? [...bound, 'taskset', '-c', '1'] : bound

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

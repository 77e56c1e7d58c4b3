import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Milliseconds of one tick of /proc/<pid>/stat; Linux has used 100 ticks a second on every platform that runs Node. */
const tickMs = 10

/** CPU time, milliseconds in steps of 10. */
export interface CpuTime {
  readonly user: number
  readonly system: number
}

/** CPU time that a process used so far, all its threads. */
export function cpuTime(pid: number): CpuTime {
  const fields = statFields(pid)
  return { user: Number(fields[11]) * tickMs, system: Number(fields[12]) * tickMs }
}

/** CPU time that a process used so far, user and system, all its threads, in milliseconds (10 ms steps). */
export function cpuMs(pid: number): number {
  const { user, system } = cpuTime(pid)
  return user + system
}

/** CPU time of the processes that this process started and that have ended, in milliseconds (10 ms steps). */
export function endedChildrenCpuMs(): number {
  const fields = statFields(process.pid)
  return (Number(fields[13]) + Number(fields[14])) * tickMs
}

/** A process, all that it started, and what these started, as far as they live. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)]
}

/** {@link cpuMs} of a process and of all that it started. */
export function treeCpuMs(pid: number): number {
  return sum(processTree(pid).map(cpuMs))
}

/** Resident memory of a process now, in megabytes. */
export function residentMb(pid: number): number {
  return statusMb(pid, 'VmRSS')
}

/** Resident memory of a process and of all that it started; what they share counts for each of them. */
export function treeResidentMb(pid: number): number {
  return sum(processTree(pid).map(residentMb))
}

/** The part of {@link treeResidentMb} that is pages of files: the program and its libraries, which processes share. */
export function treeFilePagesMb(pid: number): number {
  return sum(processTree(pid).map((one) => statusMb(one, 'RssFile')))
}

/** Forgets how much memory a process and what it started had at most; see {@link treePeakMb}. proc(5), clear_refs. */
export function forgetPeak(pid: number): void {
  for (const one of processTree(pid)) writeFileSync(`/proc/${one}/clear_refs`, '5')
}

/** Most resident memory that a process and what it started had since {@link forgetPeak}, in megabytes. */
export function treePeakMb(pid: number): number {
  return sum(processTree(pid).map((one) => statusMb(one, 'VmHWM')))
}

/** Of a process that has ended in the meantime: none. */
function childrenOf(pid: number): readonly number[] {
  try {
    // Each thread has its own children: those that it forked.
    const lists = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'),
    )
    return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number))
  } catch {
    return []
  }
}

/** Fields of /proc/<pid>/stat from the third on: the second one, the name, may contain spaces. */
function statFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function statusMb(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0)
}

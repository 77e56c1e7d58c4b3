import { readFileSync } from 'node:fs'

/** Milliseconds of one tick of /proc/<pid>/stat; Linux has used 100 ticks a second on every platform that runs Node. */
const tickMs = 10

/** CPU time that a process used so far, user and system, all its threads, in milliseconds (10 ms steps). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

/** Resident memory of a process now, in megabytes. */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

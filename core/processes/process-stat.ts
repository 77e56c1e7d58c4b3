import { readdirSync, readFileSync } from 'node:fs'

/** What the kernel says about one process. */
export interface ProcessStat {
  readonly pid: number
  /** One letter; `Z` is a process that has ended and was not waited for. */
  readonly state: string
  readonly group: number
  readonly session: number
  /** User and system time so far, in clock ticks of 10 ms. */
  readonly cpuTicks: number
  /** Clock ticks from boot to the process's start: with the pid it names a process for good until the next boot. */
  readonly startTicks: number
  readonly residentPages: number
}

/**
 * Reads `/proc/<pid>/stat`; undefined when there is no such process.
 * @see proc_pid_stat(5); the name in parentheses may itself contain spaces and parentheses
 */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3]) // the manual counts from 1; pid and name are cut off
  return {
    pid,
    state: fields[0] ?? '',
    group: field(5),
    session: field(6),
    cpuTicks: field(14) + field(15),
    startTicks: field(22),
    residentPages: field(24),
  }
}

/** Reads every process that can be seen now. Costs one small read each: not for the way of a request. */
export function readAllProcessStats(): readonly ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcessStat(Number(name)) ?? [])
}

/** Identity of this boot: pids and start ticks of another boot mean nothing. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
}

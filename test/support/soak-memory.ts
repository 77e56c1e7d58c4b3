import { readFileSync, writeFileSync } from 'node:fs'

/**
 * The most resident memory that a process had since this was made, in bytes. The kernel keeps it, so that no sample can
 * miss it. Linux only.
 */
export class PeakMemory {
  readonly #pid: number

  constructor(pid: number) {
    this.#pid = pid
    writeFileSync(`/proc/${pid}/clear_refs`, '5') // proc_pid_clear_refs(5): the peak becomes what is resident now
  }

  get bytes(): number {
    return statusBytes(this.#pid, 'VmHWM')
  }
}

function statusBytes(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1])
  if (Number.isNaN(kilobytes)) throw new Error(`/proc/${pid}/status says nothing of ${field}`)
  return kilobytes * 1024
}

import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { killGroup } from './kill-group.ts'
import { readAllProcessStats, readBootId, readProcessStat } from './process-stat.ts'

/**
 * Keeps one file per running function process, named by its pid, so that a later start finds what a killed gateway left
 * behind. Files are written at once: a process that was never recorded could never be found again.
 */
export class ProcessRecords {
  readonly #directory: string
  readonly #bootId = readBootId()

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Notes a process that leads its own group and session. */
  add(pid: number): void {
    const startTicks = readProcessStat(pid)?.startTicks
    if (startTicks !== undefined) writeFileSync(this.#pathOf(pid), `${startTicks} ${this.#bootId}\n`, { mode: 0o600 })
  }

  /** Forgets a process that has ended. Never throws. */
  remove(pid: number): void {
    try {
      unlinkSync(this.#pathOf(pid))
    } catch {
      // Its file could not be written, or a user removed it: there is nothing left to forget.
    }
  }

  /**
   * Kills what the records of an earlier start still name, whole groups, and removes the records.
   * @returns the pids of the groups that were killed
   */
  killOrphans(): readonly number[] {
    const killed: number[] = []
    for (const name of readdirSync(this.#directory)) {
      const pid = Number(name)
      if (Number.isInteger(pid) && pid > 1 && this.#isAlive(pid)) {
        killGroup(pid, 'SIGKILL')
        killed.push(pid)
      }
      this.remove(pid)
    }
    return killed
  }

  /** Whether the recorded process or, after its end, a member of its session is still there. Survives reuse of pids. */
  #isAlive(pid: number): boolean {
    const [ticks = '', bootId] = readText(this.#pathOf(pid)).trim().split(' ')
    const startTicks = Number(ticks)
    if (bootId !== this.#bootId || !(startTicks > 0)) return false
    const leader = readProcessStat(pid)
    if (leader !== undefined) return leader.startTicks === startTicks
    return readAllProcessStats().some((one) => one.group === pid && one.session === pid && one.startTicks >= startTicks)
  }

  #pathOf(pid: number): string {
    return join(this.#directory, String(pid))
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

import { readAllProcessStats, type Clock } from '#core'
import type { Usage } from './function-status.ts'

const ticksPerSecond = 100 // of /proc on every Linux that Node runs on
const pageBytes = 4096

/** Measures what groups of processes use. */
export class UsageMeter {
  readonly #clock: Clock
  #cpuSeconds = 0
  #askedMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#askedMs = clock.monotonicMs()
  }

  /** Sums over the members of `groups`; the rate is over the time since the last question. */
  measure(groups: readonly number[]): Usage {
    const wanted = new Set(groups)
    const members = groups.length === 0 ? [] : readAllProcessStats().filter(({ group }) => wanted.has(group))
    const cpuSeconds = members.reduce((sum, { cpuTicks }) => sum + cpuTicks / ticksPerSecond, 0)
    const nowMs = this.#clock.monotonicMs()
    const elapsedSeconds = Math.max(0.001, (nowMs - this.#askedMs) / 1000)
    const used = Math.max(0, cpuSeconds - this.#cpuSeconds) // processes that ended took their time with them
    this.#cpuSeconds = cpuSeconds
    this.#askedMs = nowMs
    return {
      cpu: Math.round((used / elapsedSeconds) * 1000),
      totalMemoryBytes: members.reduce((sum, { residentPages }) => sum + residentPages * pageBytes, 0),
    }
  }
}

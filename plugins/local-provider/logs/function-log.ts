import type { Readable } from 'node:stream'
import { readLines, type Clock } from '#core'
import { LogRing } from './log-ring.ts'

/** The log of one function: what its sidecars write, for it and about it, and what the provider says about them. */
export class FunctionLog {
  readonly ring: LogRing
  readonly #clock: Clock

  constructor(clock: Clock, limits: { maxLines: number; maxBytes: number }) {
    this.#clock = clock
    this.ring = new LogRing(limits)
  }

  /** Adds a line of the provider's own, as OpenFaaS's watchdogs prefix them: date and time. */
  watchdog(instance: string, text: string): void {
    const timestampMs = this.#clock.nowMs()
    this.ring.append({ instance, timestampMs, text: `${goTimestamp(timestampMs)} ${text}` })
  }

  /** Adds every line that comes out of a sidecar, as it is: what its function writes was prefixed there. */
  attach(instance: string, stream: Readable | undefined): void {
    if (stream === undefined) return
    const onLine = (text: string): void => this.ring.append({ instance, timestampMs: this.#clock.nowMs(), text })
    readLines(stream, { clock: this.#clock, onLine })
  }
}

/** Date and time as Go's `log` package writes them, in UTC. */
function goTimestamp(timestampMs: number): string {
  return new Date(timestampMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
}

import type { Readable } from 'node:stream'
import type { Clock } from '#core'
import { readLines } from './line-reader.ts'
import { LogRing } from './log-ring.ts'

/** The log of one function: what its processes write, and what the watchdog says about them. */
export class FunctionLog {
  readonly ring: LogRing
  readonly #clock: Clock

  constructor(clock: Clock, limits: { maxLines: number; maxBytes: number }) {
    this.#clock = clock
    this.ring = new LogRing(limits)
  }

  /** Adds a line of the watchdog's own, as OpenFaaS prefixes them: date and time. */
  watchdog(instance: string, text: string): void {
    const timestampMs = this.#clock.nowMs()
    this.ring.append({ instance, timestampMs, text: `${goTimestamp(timestampMs)} ${text}` })
  }

  /** Adds every line that comes out of `stream`, with date, time and the stream's name when `prefixed`. */
  attach(
    instance: string,
    stream: Readable | undefined,
    { name, prefixed }: { name: string; prefixed: boolean },
  ): void {
    if (stream === undefined) return
    readLines(stream, this.#clock, (line) => {
      const timestampMs = this.#clock.nowMs()
      const text = prefixed ? `${goTimestamp(timestampMs)} ${name}: ${line}` : line
      this.ring.append({ instance, timestampMs, text })
    })
  }
}

/** Date and time as Go's `log` package writes them, in UTC. */
function goTimestamp(timestampMs: number): string {
  return new Date(timestampMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
}

import type { ServerResponse } from 'node:http'
import { BufferReply, type Clock } from '#core/lean'

/** What is sent, and how long that may take. */
export interface TimedReplyOptions {
  readonly clock: Clock
  /** Until the last byte has been taken, milliseconds. */
  readonly timeoutMs: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A reply of status 200 whose reader must take it in time; the connection of one that does not is cut. */
export class TimedReply extends BufferReply {
  readonly #clock: Clock
  readonly #timeoutMs: number

  constructor({ clock, timeoutMs, headers, body }: TimedReplyOptions) {
    super(200, headers, body)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  override sendTo(response: ServerResponse): void {
    const timer = this.#clock.after(this.#timeoutMs, () => response.destroy())
    this.onEnd(() => timer[Symbol.dispose]())
    super.sendTo(response)
  }
}

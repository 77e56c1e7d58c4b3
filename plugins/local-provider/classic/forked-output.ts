import type { Readable } from 'node:stream'
import type { Clock } from '#core'

/** Most bytes that are kept back while it is open whether they are all. */
const maxHeldBytes = 64 * 1024
/** How long after the first byte it is open. Long enough for a program that writes and ends; too short to be felt. */
const holdMs = 10

/**
 * The standard output of one call. Its beginning is kept back for a moment: most functions write little and end, and only
 * their end tells whether the answer is a success.
 */
export class ForkedOutput {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #clock: Clock
  #pending: Promise<IteratorResult<Uint8Array>>
  #held: Uint8Array[] = []

  constructor(stdout: Readable, clock: Clock) {
    this.#pieces = stdout[Symbol.asyncIterator]()
    this.#clock = clock
    this.#pending = this.#read()
  }

  /** Resolves with the whole output if it ends soon, else with undefined: then it is to be streamed. */
  async whole(): Promise<Uint8Array | undefined> {
    let heldBytes = 0
    let next = await this.#pending
    const late = new AbortController()
    const timeUp = this.#clock.sleep(holdMs, late.signal).then(
      () => undefined,
      () => undefined,
    )
    try {
      for (;;) {
        if (next.done === true) return Buffer.concat(this.#held)
        this.#held.push(next.value)
        heldBytes += next.value.byteLength
        this.#pending = this.#read()
        if (heldBytes > maxHeldBytes) return undefined
        const more = await Promise.race([this.#pending, timeUp])
        if (more === undefined) return undefined
        next = more
      }
    } finally {
      late.abort()
    }
  }

  /** Gives everything, piece by piece, as fast as it is taken. */
  async *stream(): AsyncGenerator<Uint8Array> {
    yield* this.#held
    this.#held = []
    for (let next = await this.#pending; next.done !== true; next = await this.#pending) {
      yield next.value
      this.#pending = this.#read()
    }
  }

  /** A pipe that broke has no more to give; why, the end of the process tells. */
  async #read(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#pieces.next()
    } catch {
      return { done: true, value: undefined }
    }
  }
}

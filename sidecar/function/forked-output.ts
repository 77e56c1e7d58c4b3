import type { Readable } from 'node:stream'
import type { Clock, FunctionProcess } from '#core/lean'
import { patientTimer } from './patient-timer.ts'

/** Most bytes that are kept back while it is open whether they are all. */
const maxHeldBytes = 64 * 1024
/** How long after the first byte it is open. Long enough for a program that writes and ends; too short to be felt. */
const holdMs = 10
/** How long after its program's end a silent pipe is waited for: only a process that left the group can hold it open still. */
const silenceMs = 250

/**
 * The standard output of one call. Its beginning is kept back for a moment: most functions write little and end, and only
 * their end tells whether the answer is a success.
 */
export class ForkedOutput {
  readonly #pipe: Readable
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #clock: Clock
  #hasEnded = false
  #silence: Disposable | undefined
  #isWaiting = false
  #pending: Promise<IteratorResult<Uint8Array>>
  #held: Uint8Array[] = []

  constructor(pipe: Readable, { ended }: Pick<FunctionProcess, 'ended'>, clock: Clock) {
    this.#pipe = pipe
    this.#pieces = pipe[Symbol.asyncIterator]()
    this.#clock = clock
    this.#pending = this.#read()
    void ended.then(() => {
      this.#hasEnded = true
      if (this.#isWaiting) this.#expectSilence()
    })
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
    this.#isWaiting = true
    if (this.#hasEnded) this.#expectSilence()
    try {
      return await this.#pieces.next()
    } catch {
      return { done: true, value: undefined }
    } finally {
      this.#isWaiting = false
      this.#silence?.[Symbol.dispose]()
      this.#silence = undefined
    }
  }

  /** What the program wrote is in the pipe and is read at once: when nothing more comes, nothing more will. */
  #expectSilence(): void {
    this.#silence ??= patientTimer(this.#clock, silenceMs, () => this.#pipe.destroy())
  }
}

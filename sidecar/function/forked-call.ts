import { Readable, type Writable } from 'node:stream'
import {
  BufferReply,
  describeEnd,
  formatDuration,
  StreamReply,
  textReply,
  type Clock,
  type FunctionProcess,
  type GatewayRequest,
  type ProcessEnd,
  type Reply,
} from '#core/lean'
import { ForkedOutput } from './forked-output.ts'

/** What a forked call is answered with. */
export interface ForkedCallDeps {
  readonly process: FunctionProcess
  readonly clock: Clock
  /** Longest time of the call, milliseconds; 0 is no limit. */
  readonly execTimeoutMs: number
  /** Longest time until its body has been read, milliseconds; 0 is no limit. */
  readonly readTimeoutMs: number
  /** Type of the answer; empty repeats the request's. */
  readonly contentType: string
  /** Writes a line about the function. */
  readonly say: (text: string) => void
}

/**
 * One call of a classic function: its body on standard input, its answer from standard output. The process group is killed
 * when its time is over or the client leaves. A failure before the first byte was sent is a 500; after it, the client's
 * connection is cut, whether the client reads or not.
 */
export class ForkedCall {
  readonly #deps: ForkedCallDeps
  readonly #request: GatewayRequest
  readonly #startedMs: number
  readonly #timers: Disposable[] = []
  #timedOut = ''
  #hasAnswer = false

  constructor(request: GatewayRequest, deps: ForkedCallDeps) {
    this.#request = request
    this.#deps = deps
    this.#startedMs = deps.clock.monotonicMs()
  }

  /** Answers the call. Never rejects. */
  async answer(): Promise<Reply> {
    const { execTimeoutMs, readTimeoutMs } = this.#deps
    this.#limit('exec_timeout', execTimeoutMs)
    this.#request.onGone(() => this.#kill())
    const reply = await this.#reply(this.#limit('read_timeout', readTimeoutMs))
    this.#hasAnswer = true
    reply.onEnd((_end, bytes) => {
      for (const timer of this.#timers) timer[Symbol.dispose]()
      this.#deps.say(`Wrote ${bytes} Bytes - Duration: ${this.#seconds()} seconds`)
    })
    return reply
  }

  async #reply(readTimer: Disposable | undefined): Promise<Reply> {
    const { process, clock } = this.#deps
    const { stdin, stdout } = process.pipes
    if (stdin === undefined || stdout === undefined) return this.#failure(await process.ended)
    const output = new ForkedOutput(stdout, process, clock)
    void this.#feed(stdin, readTimer)
    const whole = await output.whole()
    if (whole === undefined) {
      return new StreamReply(200, ['Content-Type', this.#contentType()], this.#stream(output), () => this.#kill())
    }
    const end = await process.ended
    if (!this.#isSuccess(end)) return this.#failure(end)
    return new BufferReply(200, { 'Content-Type': this.#contentType(), 'X-Duration-Seconds': this.#seconds() }, whole)
  }

  async *#stream(output: ForkedOutput): AsyncGenerator<Uint8Array> {
    yield* output.stream()
    const end = await this.#deps.process.ended
    if (this.#isSuccess(end)) return
    const why = this.#explain(end)
    this.#deps.say(`Error: ${why}`)
    throw new Error(why)
  }

  /** Moves the body to the process. One that ends without reading it decides by its end what that means. */
  async #feed(stdin: Writable, timer: Disposable | undefined): Promise<void> {
    try {
      const body = await this.#request.body.open()
      if (body instanceof Readable) {
        body.once('end', () => timer?.[Symbol.dispose]())
        body.once('error', () => this.#kill()) // the client left: what has come is not the whole
        stdin.once('close', () => {
          timer?.[Symbol.dispose]() // nobody waits for the rest
          body.destroy()
        })
        body.pipe(stdin)
      } else {
        timer?.[Symbol.dispose]()
        stdin.end(body ?? Buffer.alloc(0))
      }
    } catch {
      this.#kill()
    }
  }

  #limit(name: string, timeoutMs: number): Disposable | undefined {
    if (timeoutMs === 0) return undefined
    const timer = this.#deps.clock.after(timeoutMs, () => {
      this.#timedOut = `${name} of ${formatDuration(timeoutMs)} is over`
      this.#kill()
      // A client that takes nothing would keep the call, and its slot, for as long as it likes.
      if (this.#hasAnswer) this.#request.cut()
    })
    this.#timers.push(timer)
    return timer
  }

  /** Closes the output too: a process that left its group might hold it open. */
  #kill(): void {
    const { process } = this.#deps
    if (process.isRunning) process.signal('SIGKILL')
    process.pipes.stdout?.destroy()
  }

  #isSuccess(end: ProcessEnd): boolean {
    return this.#timedOut === '' && end.kind === 'exited' && end.code === 0
  }

  #explain(end: ProcessEnd): string {
    return this.#timedOut || describeEnd(end)
  }

  #failure(end: ProcessEnd): Reply {
    const why = this.#explain(end)
    this.#deps.say(`Error: ${why}`)
    return textReply(this.#timedOut === '' ? 500 : 504, `${why}\n`)
  }

  #seconds(): string {
    return ((this.#deps.clock.monotonicMs() - this.#startedMs) / 1000).toFixed(6)
  }

  /** As the classic watchdog does: a fixed type, or the type of the question. */
  #contentType(): string {
    return this.#deps.contentType || this.#request.header('content-type') || 'text/plain; charset=utf-8'
  }
}

import { connect, type Socket } from 'node:net'
import { machineMs } from '../support/machine-clock.ts'

/** What one caller saw. */
export interface BareAnswer {
  /** Instant of the machine's clock at which the first bytes came; 0 when none came. */
  readonly firstByteMs: number
  /** Whether it was a 200 with the whole body of a function of cold-provider.ts. */
  readonly isWhole: boolean
}

/** Longer than a gateway holds a call. */
const patienceMs = 30_000
const statusLine = Buffer.from('HTTP/1.1 200 ')
const ending = Buffer.from('\r\n\r\nhello\n')
const nothing: Buffer = Buffer.alloc(0)
/** One buffer for all sockets: what is read is looked at before the next read. */
const readBuffer = Buffer.allocUnsafe(16 * 1024)

/**
 * Clients on bare sockets with kept connections, one call under way on each: hundreds of them must cost little beside the
 * gateway that they measure.
 */
export class BareCallers implements Disposable {
  readonly #callers: readonly BareCaller[]

  /** @param urls servers: each takes its turn, one caller after the other */
  constructor(urls: readonly string[], count: number) {
    this.#callers = Array.from({ length: count }, (_, i) => new BareCaller(urls[i % urls.length] ?? ''))
  }

  /** Connects those that have no connection, so that a call is nothing but a write. */
  async connect(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.connect()))
  }

  /**
   * Has every caller make one call at once; resolves when all have their answer, or none any more to hope for.
   * @param target the same for all, or chosen by a caller's number, from 0
   */
  call(target: string | ((caller: number) => string)): Promise<BareAnswer[]> {
    const targetOf = typeof target === 'string' ? () => target : target
    const requests = this.#callers.map((_, i) => Buffer.from(`GET ${targetOf(i)} HTTP/1.1\r\nHost: bench\r\n\r\n`))
    return new Promise((resolve) => {
      const answers: BareAnswer[] = []
      const timer = setTimeout(() => this[Symbol.dispose](), patienceMs)
      const onAnswer = (answer: BareAnswer): void => {
        if (answers.push(answer) < this.#callers.length) return
        clearTimeout(timer)
        resolve(answers)
      }
      for (const [i, caller] of this.#callers.entries()) caller.call(requests[i] ?? nothing, onAnswer)
    })
  }

  [Symbol.dispose](): void {
    for (const caller of this.#callers) caller.hangUp()
  }
}

class BareCaller {
  readonly #url: string
  #socket: Socket | undefined
  #onAnswer: ((answer: BareAnswer) => void) | undefined
  #firstByteMs = 0
  #received = nothing

  constructor(url: string) {
    this.#url = url
  }

  connect(): Promise<void> {
    if (this.#socket !== undefined) return Promise.resolve()
    const { hostname, port } = new URL(this.#url)
    return new Promise((resolve, reject) => {
      const callback = (count: number): boolean => {
        this.#take(readBuffer.subarray(0, count))
        return true
      }
      const socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: { buffer: readBuffer, callback },
      })
      socket.once('connect', () => resolve())
      socket.on('error', reject)
      socket.once('close', () => {
        this.#socket = undefined
        this.#settle(false)
      })
      this.#socket = socket
    })
  }

  call(request: Buffer, onAnswer: (answer: BareAnswer) => void): void {
    this.#onAnswer = onAnswer
    this.#firstByteMs = 0
    this.#received = nothing
    if (this.#socket === undefined) this.#settle(false)
    else this.#socket.write(request)
  }

  hangUp(): void {
    this.#socket?.destroy()
  }

  #take(piece: Buffer): void {
    if (this.#firstByteMs === 0) this.#firstByteMs = machineMs()
    const bytes = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece])
    if (isWholeAnswer(bytes)) this.#settle(true)
    else if (mayBecomeWhole(bytes)) this.#received = Buffer.from(bytes)
    else this.hangUp()
  }

  #settle(isWhole: boolean): void {
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.({ firstByteMs: this.#firstByteMs, isWhole })
  }
}

function isWholeAnswer(bytes: Buffer): boolean {
  const endingFrom = bytes.length - ending.length
  return (
    endingFrom > statusLine.length &&
    bytes.compare(statusLine, 0, statusLine.length, 0, statusLine.length) === 0 &&
    bytes.compare(ending, 0, ending.length, endingFrom) === 0
  )
}

/** An answer other than a 200 is not waited for: its end would need a real parser. */
function mayBecomeWhole(bytes: Buffer): boolean {
  const known = Math.min(bytes.length, statusLine.length)
  return bytes.compare(statusLine, 0, known, 0, known) === 0
}

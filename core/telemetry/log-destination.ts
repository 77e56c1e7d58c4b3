import { createWriteStream, fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { Clock } from '../time/clock.ts'

/** How log lines are written. */
export interface LogDestinationOptions {
  readonly stream: Writable
  readonly clock: Clock
  /** Most characters that wait for a slow reader; lines beyond are dropped and counted. Default 1 MiB. */
  readonly maxWaiting?: number
  /** Told how many lines were dropped, once there is room to say so. */
  readonly onDropped: (lines: number) => void
}

const flushTimeoutMs = 1000

/**
 * Writes log lines in order, many at a time, without ever blocking, throwing or holding more than `maxWaiting`: when the
 * reader is slow or gone, lines are dropped and counted instead.
 */
export class LogDestination {
  readonly #options: LogDestinationOptions
  readonly #maxWaiting: number
  #waiting = ''
  #isScheduled = false
  #isBroken = false
  #dropped = 0
  #unreported = 0

  constructor(options: LogDestinationOptions) {
    this.#options = options
    this.#maxWaiting = options.maxWaiting ?? 1_048_576
    options.stream.on('error', this.#onError)
    options.stream.on('drain', this.#reportDropped)
    process.on('exit', this.#flush)
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes a line that ends in a newline. */
  write(line: string): void {
    if (this.#isBroken || this.#waitingLength + line.length > this.#maxWaiting) {
      this.#dropped += 1
      this.#unreported += 1
      return
    }
    this.#waiting += line
    if (this.#isScheduled) return
    this.#isScheduled = true
    // One system call for all lines of a turn of the event loop.
    setImmediate(this.#flush)
  }

  /** Resolves when everything is written, or after a second with a reader that does not read. Closes nothing. */
  async close(): Promise<void> {
    this.#flush()
    this.#reportDropped()
    this.#flush()
    const { stream, clock } = this.#options
    const written = Promise.withResolvers<void>()
    const limit = clock.after(flushTimeoutMs, written.resolve)
    if (this.#isBroken || stream.writableLength === 0) written.resolve()
    else stream.write('', () => written.resolve())
    await written.promise
    limit[Symbol.dispose]()
    process.off('exit', this.#flush)
    stream.off('drain', this.#reportDropped)
    // The listener for errors stays: a reader that leaves later must not end the process.
  }

  get #waitingLength(): number {
    return this.#waiting.length + this.#options.stream.writableLength
  }

  readonly #flush = (): void => {
    this.#isScheduled = false
    if (this.#waiting === '' || this.#isBroken) return
    const lines = this.#waiting
    this.#waiting = ''
    if (this.#options.stream.write(lines)) this.#reportDropped()
  }

  readonly #reportDropped = (): void => {
    const lines = this.#unreported
    if (lines === 0 || this.#isBroken) return
    this.#unreported = 0
    this.#options.onDropped(lines)
  }

  readonly #onError = (): void => {
    this.#isBroken = true
    this.#waiting = ''
  }
}

/**
 * Returns a stream on standard output, or standard error, whose writes never block the event loop. Node's own `process.stdout` is that
 * for pipes and sockets, but blocks for files and terminals; a stream on the descriptor does not block there, but for a full
 * pipe it would keep a thread, and with it the exit of the process, waiting for ever.
 */
export function openStandardOutput(standard: 'stdout' | 'stderr' = 'stdout'): Writable {
  const fd = standard === 'stdout' ? 1 : 2
  const kind = fstatSync(fd)
  if (kind.isFIFO() || kind.isSocket()) return process[standard]
  return createWriteStream('', { fd, autoClose: false })
}

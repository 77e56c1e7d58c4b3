import type { Readable, Writable } from 'node:stream'
import { readLines, type Clock, type FunctionProcess } from '#core/lean'
import { patientTimer } from './patient-timer.ts'

/** How lines are written; see FunctionSettings. */
export interface OutputSettings {
  readonly prefixLogs: boolean
  readonly logLineLength: number
}

/** How long after a process's end its pipes are still read: one that it left behind, and that left its group, might hold them open. */
const readAfterEndMs = 1000
/** Most that waits for a slow reader when a line about the function is written; beyond it the line is dropped and counted. */
const maxWaitingBytes = 1024 * 1024
/**
 * The same for lines of the function. More, because each of its processes may still give one piece of its pipe, and lines grow by their
 * prefix, before it is made to wait.
 */
const maxWaitingOfFunctionBytes = 4 * maxWaitingBytes

/**
 * What users of a watchdog read: what the function writes, line by line, and what is said about it. Lines go to the stream of the same
 * name, with date, time and that name before them. A reader that is slow makes the function wait, not the sidecar; lines that nobody can
 * be made to wait for are dropped, and counted, when too much waits for it.
 */
export class FunctionOutput {
  readonly #clock: Clock
  readonly #sinks: Readonly<Record<'stdout' | 'stderr', LineSink>>
  readonly #settings: OutputSettings

  constructor(
    deps: { clock: Clock; output: { readonly stdout: Writable; readonly stderr: Writable } },
    settings: OutputSettings,
  ) {
    this.#clock = deps.clock
    this.#sinks = { stdout: new LineSink(deps.output.stdout), stderr: new LineSink(deps.output.stderr) }
    this.#settings = settings
    for (const stream of Object.values(deps.output)) stream.on('drain', () => this.#reportDropped())
  }

  /** Writes a line of the sidecar's own about the function. */
  say(text: string): void {
    void this.#sinks.stderr.write(`${this.#date()} ${text}`, maxWaitingBytes)
  }

  /** Writes every line that comes out of a pipe of a process. */
  attach(name: 'stdout' | 'stderr', { pipes, ended }: FunctionProcess): void {
    const pipe = pipes[name]
    if (pipe === undefined) return
    const { prefixLogs, logLineLength } = this.#settings
    const sink = this.#sinks[name]
    const onLine = (line: string): unknown =>
      sink.write(prefixLogs ? `${this.#date()} ${name}: ${line}` : line, maxWaitingOfFunctionBytes)
    readLines(pipe, { clock: this.#clock, onLine, maxLineLength: logLineLength })
    void ended.then(() => this.#closeLater(pipe))
  }

  #reportDropped(): void {
    const { stdout, stderr } = this.#sinks
    const lines = stdout.takeDropped() + stderr.takeDropped()
    if (lines > 0) this.say(`${lines} lines dropped: the reader of the log is too slow`)
  }

  #closeLater(pipe: Readable): void {
    const timer = patientTimer(this.#clock, readAfterEndMs, () => pipe.destroy())
    pipe.once('close', () => timer[Symbol.dispose]())
  }

  /** Date and time as Go's `log` package writes them, in UTC. */
  #date(): string {
    return new Date(this.#clock.nowMs()).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
  }
}

/** Writes lines to a stream. When its reader has gone, lines are dropped: a function must not stop for want of a reader of its log. */
class LineSink {
  readonly #stream: Writable
  #dropped = 0
  #whenTaken: Promise<void> | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', () => {})
  }

  /** Returns how many lines were dropped since it was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  /**
   * @param maxWaiting bytes that may wait for the reader already; when more do, the line is dropped
   * @returns a promise when the reader is behind: nothing more should come until it resolves
   */
  write(line: string, maxWaiting: number): Promise<void> | undefined {
    if (!this.#stream.writable) return undefined
    if (this.#stream.writableLength > maxWaiting) this.#dropped += 1
    else if (this.#stream.write(`${line}\n`)) return undefined
    this.#whenTaken ??= new Promise((resolve) => {
      const taken = (): void => {
        this.#stream.off('drain', taken).off('close', taken)
        this.#whenTaken = undefined
        resolve()
      }
      this.#stream.on('drain', taken).on('close', taken)
    })
    return this.#whenTaken
  }
}

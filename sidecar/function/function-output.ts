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

/**
 * What users of a watchdog read: what the function writes, line by line, and what is said about it. Lines go to the stream of the same
 * name, with date, time and that name before them. A reader that is slow makes the function wait, not the sidecar.
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
  }

  /** Writes a line of the sidecar's own about the function. */
  say(text: string): void {
    void this.#sinks.stderr.write(`${this.#date()} ${text}`)
  }

  /** Writes every line that comes out of a pipe of a process. */
  attach(name: 'stdout' | 'stderr', { pipes, ended }: FunctionProcess): void {
    const pipe = pipes[name]
    if (pipe === undefined) return
    const { prefixLogs, logLineLength } = this.#settings
    const sink = this.#sinks[name]
    const onLine = (line: string): unknown => sink.write(prefixLogs ? `${this.#date()} ${name}: ${line}` : line)
    readLines(pipe, { clock: this.#clock, onLine, maxLineLength: logLineLength })
    void ended.then(() => this.#closeLater(pipe))
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
  #whenTaken: Promise<void> | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', () => {})
  }

  /** @returns a promise when the reader is behind: nothing more should come until it resolves */
  write(line: string): Promise<void> | undefined {
    if (!this.#stream.writable || this.#stream.write(`${line}\n`)) return undefined
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

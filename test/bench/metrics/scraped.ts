import { fork, type ChildProcess } from 'node:child_process'
import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { Questions } from '../../../core/workers/questions.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { startFlags } from '../start-flags.ts'
import type { SeriesSet } from './series-set.ts'

/** What a process with series is. */
export type Role = 'gateway' | 'exporter' | 'supervisor' | 'worker'

/** Topic of {@link Order}. */
export const orderTopic = 'bench'

/** What such a process is asked to do. */
export type Order =
  /** Answered with the port. */
  | { readonly order: 'listen' }
  | { readonly order: 'fill'; readonly set: SeriesSet }
  | { readonly order: 'watch' }
  /** Answered with {@link LongestBlocks}. */
  | { readonly order: 'figures' }

/** Longest turns of event loops while they were watched, in milliseconds of processor time. */
export interface LongestBlocks {
  readonly ownMs: number
  readonly workersMs: readonly number[]
}

/** One scrape. */
export interface Scrape extends LongestBlocks {
  /** From the request to the last byte of its answer, in milliseconds. */
  readonly tookMs: number
  readonly bytes: number
}

const patienceMs = 60_000

/** A process with series, from outside. */
export class Scraped implements AsyncDisposable {
  readonly name: string
  readonly line: ProcessLine
  readonly #child: ChildProcess
  readonly #questions: Questions
  #port = 0

  constructor(name: string, role: Role) {
    const script = fileURLToPath(new URL('scraped-process.ts', import.meta.url))
    this.name = name
    this.#child = fork(script, [role], { serialization: 'advanced', execArgv: [...startFlags] })
    killOnExit(this.#child)
    this.line = new ProcessLine(this.#child)
    this.#questions = new Questions({ line: this.line, topic: orderTopic, clock: new SystemClock() })
  }

  /** Makes a process that can be scraped. */
  static async start(name: string, role: Role): Promise<Scraped> {
    const one = new Scraped(name, role)
    one.#port = (await one.order({ order: 'listen' })) as number // see Order
    return one
  }

  order(order: Order): Promise<unknown> {
    return this.#questions.ask(order, patienceMs)
  }

  /** Has calls counted and the page scraped, twice: to take the time, and to watch the event loops. */
  async scrape(set: SeriesSet): Promise<Scrape> {
    await this.order({ order: 'fill', set })
    const fromMs = performance.now()
    const bytes = await bytesOf(this.#pageUrl())
    const tookMs = performance.now() - fromMs
    await this.order({ order: 'fill', set })
    await this.order({ order: 'watch' })
    await bytesOf(this.#pageUrl())
    const blocks = (await this.order({ order: 'figures' })) as LongestBlocks // see Order
    return { tookMs, bytes, ...blocks }
  }

  #pageUrl(): string {
    return `http://127.0.0.1:${this.#port}/metrics`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }
}

function bytesOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get(url, (answer) => {
      let bytes = 0
      answer.on('data', (piece: Buffer) => (bytes += piece.byteLength))
      answer.once('end', () => (answer.complete ? resolve(bytes) : reject(new Error('the page was cut off'))))
      answer.once('error', reject)
    })
    request.once('error', reject)
  })
}

import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { LineSplitter } from '../../support/line-splitter.ts'
import { projectRoot } from '../../support/source-files.ts'

/** The program that runs a local provider alone. */
export const standaloneEntry = join(projectRoot, 'deploy/cluster/local-provider.ts')

const patienceMs = 10_000

/** A local provider as a process of its own. Disposing it sends SIGTERM. */
export class StandaloneProcess implements AsyncDisposable {
  output = ''
  url = ''
  /** Exit code, or the signal that ended it. */
  exited: Promise<number | string>
  readonly #child: ChildProcess
  #hasEnded = false

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [standaloneEntry, '--port=0', '--log-format=json', ...args], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    killOnExit(this.#child)
    const lines = new LineSplitter((line) => this.#take(line))
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (piece: Buffer) => {
        this.output += piece.toString()
        lines.push(piece)
      })
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#hasEnded = true
        resolve(signal ?? code ?? -1)
      })
    })
  }

  /** Resolves when it listens. @throws Error with its output when it ends first */
  static async start(...args: readonly string[]): Promise<StandaloneProcess> {
    const started = new StandaloneProcess(args)
    await eventually('the provider to listen', () => started.url !== '' || started.#hasEnded, patienceMs)
    if (started.url === '') throw new Error(started.output)
    return started
  }

  get isRunning(): boolean {
    return !this.#hasEnded
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGTERM')
    await this.exited
  }

  #take(line: string): void {
    const { url } = decode(line)
    if (typeof url === 'string') this.url = url.replace(/\/$/, '')
  }
}

function decode(line: string): { readonly url?: unknown } {
  try {
    return JSON.parse(line) as { url?: unknown } // JSON logs are objects, one a line
  } catch {
    return {}
  }
}

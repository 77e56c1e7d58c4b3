import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { killOnExit } from '../support/kill-on-exit.ts'
import { LineSplitter } from '../support/line-splitter.ts'
import { startFlags } from './start-flags.ts'

/** How to start a helper process. */
export interface BenchProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node besides those of `npm start`. */
  readonly nodeFlags?: readonly string[]
}

/** A helper process of a benchmark: a script beside this file that prints `{"url": "http://..."}` once it listens. */
export class BenchProcess implements AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
    this.pid = child.pid ?? 0
  }

  /** Starts `script` behind `launcher` (see pinning.ts). @throws Error when it exits before it listens */
  static start(
    script: string,
    launcher: readonly string[],
    { env = {}, nodeFlags = [] }: BenchProcessOptions = {},
  ): Promise<BenchProcess> {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const [command = '', ...args] = [...launcher, process.execPath, ...startFlags, ...nodeFlags, path]
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    killOnExit(child)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${script} exited with ${code} before it listened`)))
      const lines = new LineSplitter((line) => {
        const { url } = JSON.parse(line) as { url: string } // the one line that these scripts print
        resolve(new BenchProcess(child, url))
      })
      child.stdout.on('data', (piece: Buffer) => lines.push(piece))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }
}

/** For those scripts: says where they listen. */
export function announce(port: number): void {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
}

import { type ChildProcess, spawn } from 'node:child_process'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { machineMs } from '../../support/machine-clock.ts'
import { ports } from './ports.ts'

/** The least that serves: plain JavaScript, no file, no compiler for types. Answers as upstream.ts does. */
const program = `
  const body = 'x'.repeat(940)
  require('node:http').createServer((request, response) => {
    request.resume()
    response.setHeader('Content-Type', 'text/plain')
    response.end(body)
  }).listen(Number(process.env.PORT), '127.0.0.1', 4096)
`

/** Name of it in tables. */
export const bareServerName = 'node:http, bare server'

/** node:http and nothing else, in a process of its own: what a server on Node takes at least. */
export class BareServer implements AsyncDisposable {
  readonly url: string
  /** Instant of the machine's clock at which it was begun to be started. */
  readonly spawnedAtMs: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number, spawnedAtMs: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
    this.spawnedAtMs = spawnedAtMs
  }

  /** Starts one behind `launcher`, and does not wait for it. @param nodeFlags flags of Node */
  static async spawn(launcher: readonly string[], nodeFlags: readonly string[]): Promise<BareServer> {
    const port = await ports.take()
    const [command = '', ...args] = [...launcher, process.execPath, ...nodeFlags, '-e', program]
    const spawnedAtMs = machineMs()
    const env = { PATH: process.env['PATH'] ?? '', PORT: String(port) }
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    killOnExit(child)
    return new BareServer(child, port, spawnedAtMs)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }
}

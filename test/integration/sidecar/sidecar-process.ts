import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { eventually } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'

/** How the process is started. */
export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Arguments behind `sidecar`. */
  readonly args?: readonly string[]
  /** Flags of node. */
  readonly flags?: readonly string[]
}

/** A sidecar as its users start it. */
export class SidecarProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | NodeJS.Signals>
  #stderr = ''
  #stdout = ''

  constructor({ env = {}, args = [], flags = [] }: ProcessOptions = {}) {
    const own = {
      PATH: process.env['PATH'] ?? '',
      port: '0',
      PILOTLIGHT_ADMIN_PORT: '0',
      PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
    }
    const child = spawn(process.execPath, [...flags, 'bin/pilotlight.js', 'sidecar', ...args], {
      env: { ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    killOnExit(child)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 0)))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get stderr(): string {
    return this.#stderr
  }

  get stdout(): string {
    return this.#stdout
  }

  /** Exit code, or the signal that ended it. */
  get ended(): Promise<number | NodeJS.Signals> {
    return this.#ended
  }

  /** Resolves when it listens. */
  async listening(): Promise<{ readonly url: string; readonly adminUrl: string }> {
    await this.logged('sidecar listening')
    const [, port, adminPort] = /sidecar listening .*\bport=(\d+) adminPort=(\d+)/.exec(this.#stderr) ?? []
    return { url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}` }
  }

  /** Resolves when a line with this text was written. */
  async logged(text: string, withinMs = 10_000): Promise<void> {
    await eventually(`"${text}" in the log`, () => this.#stderr.includes(text), withinMs)
  }

  /** Nobody reads what it writes any more. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** A field of `/proc/<pid>/status`, in kB. */
  statusKb(field: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** A server that stands for the function's own. */
export interface ServedFunction extends AsyncDisposable {
  readonly url: string
}

/** Starts a server in this process that stands for the function's own. */
export async function serve(handler: RequestListener): Promise<ServedFunction> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

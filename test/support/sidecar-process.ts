import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { instanceTestKey } from './instance-double.ts'
import { killOnExit } from './kill-on-exit.ts'

const program = fileURLToPath(new URL('../../bin/pilotlight.js', import.meta.url))

/** What a test decides about a sidecar. */
export interface SidecarProcessOptions {
  readonly name: string
  /** Base URLs. */
  readonly gateways: readonly string[]
  /** Where the function listens that it fronts; empty where the sidecar runs it. */
  readonly upstreamUrl: string
  readonly limit?: number
  readonly env?: Readonly<Record<string, string>>
}

/** A real sidecar as a process of its own, beside a function of the test. */
export class SidecarProcess implements AsyncDisposable {
  output = ''
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    killOnExit(child)
    const take = (piece: Buffer): void => void (this.output += piece.toString())
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)))
  }

  /** Spawns one; it reports by itself when its function is ready. */
  static async start({
    name,
    gateways,
    upstreamUrl,
    limit = 0,
    env = {},
  }: SidecarProcessOptions): Promise<SidecarProcess> {
    const settings = {
      PATH: process.env['PATH'] ?? '',
      PILOTLIGHT_FUNCTION: name,
      PILOTLIGHT_GATEWAYS: gateways.join(','),
      PILOTLIGHT_INSTANCE_KEY: instanceTestKey,
      PILOTLIGHT_INSTANCE_ADDRESS: '127.0.0.1',
      PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
      PILOTLIGHT_ADMIN_PORT: '0',
      PILOTLIGHT_QUIET_PERIOD: '100ms',
      port: '0',
      upstream_url: upstreamUrl,
      max_inflight: String(limit),
      ...env,
    }
    return new SidecarProcess(
      spawn(process.execPath, [program, 'sidecar'], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }
}

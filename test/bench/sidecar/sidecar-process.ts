import { type ChildProcess, spawn } from 'node:child_process'
import { installedSidecar } from '../../../plugins/local-provider/replicas/sidecar-program.ts'
import { eventually } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { LineSplitter } from '../../support/line-splitter.ts'
import { machineMs } from '../../support/machine-clock.ts'
import { onAnyCpu } from '../pinning.ts'
import { instanceKey } from './instance-key.ts'
import { ports } from './ports.ts'

/** How to start a sidecar. */
export interface SidecarProcessOptions {
  /** `http://host:port` of the server that it fronts. */
  readonly upstreamUrl: string
  /** Gateways that it reports to; default none. */
  readonly gateways?: readonly string[]
  /** Name of the function, without a namespace. */
  readonly name?: string
  /** Words before the command; see pinning.ts. */
  readonly launcher?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Flags of Node besides those of the embedded provider's sidecars. */
  readonly nodeFlags?: readonly string[]
}

const patienceMs = 15_000
const [node = '', ...programArgs] = installedSidecar

/** A sidecar as the embedded provider runs it, in front of a server that somebody else runs. */
export class SidecarProcess implements AsyncDisposable {
  readonly url: string
  readonly adminUrl: string
  /** Instant of the machine's clock at which it was begun to be started. */
  readonly spawnedAtMs: number
  /** Lines of both of its outputs. */
  readonly lines: string[] = []
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, { port, adminPort, spawnedAtMs }: Start) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
    this.adminUrl = `http://127.0.0.1:${adminPort}`
    this.spawnedAtMs = spawnedAtMs
    const splitter = new LineSplitter((line) => this.lines.push(line))
    child.stdout?.on('data', (piece: Buffer) => splitter.push(piece))
    child.stderr?.on('data', (piece: Buffer) => splitter.push(piece))
  }

  /** Starts one, and does not wait for it. */
  static async spawn(options: SidecarProcessOptions): Promise<SidecarProcess> {
    const { launcher = onAnyCpu, nodeFlags = [] } = options
    const [port, adminPort] = [await ports.take(), await ports.take()]
    const [command = '', ...args] = [...launcher, node, ...nodeFlags, ...programArgs]
    const spawnedAtMs = machineMs()
    const child = spawn(command, args, {
      env: { PATH: process.env['PATH'] ?? '', ...environmentOf(options, { port, adminPort }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    killOnExit(child)
    return new SidecarProcess(child, { port, adminPort, spawnedAtMs })
  }

  /** Starts one and resolves when its admin port answers. @throws Error with what it wrote when it ends first */
  static async start(options: SidecarProcessOptions): Promise<SidecarProcess> {
    const sidecar = await SidecarProcess.spawn(options)
    try {
      await eventually('the sidecar to serve', () => sidecar.#answers('/healthz'), patienceMs)
      return sidecar
    } catch (error) {
      await sidecar[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Resolves when the function takes calls. */
  async ready(): Promise<void> {
    await eventually('the sidecar to be ready', () => this.#answers('/readyz'), patienceMs)
  }

  /** Its metrics page. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.adminUrl}/metrics`, { headers: { connection: 'close' } })).text()
  }

  /** Has it drain, and resolves when it has exited. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill(signal)
    await exited
  }

  async #answers(path: string): Promise<boolean> {
    if (this.hasEnded) throw new Error(`the sidecar ended with ${this.#child.exitCode}:\n${this.lines.join('\n')}`)
    try {
      const answer = await fetch(`${this.adminUrl}${path}`, { headers: { connection: 'close' } })
      await answer.arrayBuffer()
      return answer.ok
    } catch {
      return false
    }
  }
}

interface Ports {
  readonly port: number
  readonly adminPort: number
}

interface Start extends Ports {
  readonly spawnedAtMs: number
}

function environmentOf(options: SidecarProcessOptions, { port, adminPort }: Ports): Record<string, string> {
  const { upstreamUrl, gateways = [], name = 'echo', env = {} } = options
  const membership = { PILOTLIGHT_GATEWAYS: gateways.join(','), PILOTLIGHT_INSTANCE_KEY: instanceKey }
  return {
    mode: 'http',
    upstream_url: upstreamUrl,
    port: String(port),
    PILOTLIGHT_ADMIN_PORT: String(adminPort),
    PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
    PILOTLIGHT_INSTANCE_ADDRESS: '127.0.0.1',
    PILOTLIGHT_QUIET_PERIOD: '0s',
    PILOTLIGHT_GRACE_PERIOD: '1s',
    OPENFAAS_NAME: name,
    ...(gateways.length > 0 && membership),
    ...env,
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import { killOnExit } from './kill-on-exit.ts'
import { LineSplitter } from './line-splitter.ts'
import { type TemporaryFile, temporaryFile } from './temporary-file.ts'

/** How to start a gateway. */
export interface GatewayProcessOptions {
  /** Added to the defaults: free ports, JSON logs, no quiet period, a grace period of 5 s. */
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Text of a configuration file, YAML. */
  readonly config?: string
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[]
  /** Words to put before the command, such as `taskset -c 0`. */
  readonly launcher?: readonly string[]
  /** The program's file. Default: that of the sources. */
  readonly entry?: string
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One line of the gateway's log, decoded where it is JSON. */
export type LogLine = Readonly<Record<string, unknown>>

const entryOfSources = fileURLToPath(new URL('../../bin/pilotlight.js', import.meta.url))

const defaultEnv: Readonly<Record<string, string>> = {
  PILOTLIGHT_HOST: '127.0.0.1',
  PILOTLIGHT_PORT: '0',
  PILOTLIGHT_METRICS_PORT: '0',
  PILOTLIGHT_LOG_FORMAT: 'json',
  PILOTLIGHT_QUIET_PERIOD: '0s',
  PILOTLIGHT_GRACE_PERIOD: '5s',
}

/** Time for a gateway to say that it listens, and to go once it was told to, on a busy machine. */
const patienceMs = 15_000

/** A gateway as users run it: a process of its own. Disposing it sends SIGTERM and fails when it does not go. */
export class GatewayProcess implements AsyncDisposable {
  /** Everything written to standard output and standard error. */
  output = ''
  readonly logs: LogLine[] = []
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  readonly #config: TemporaryFile | undefined
  #exit: Exit | undefined
  #url = ''
  #metricsUrl = ''

  /** Starts the process; see {@link startGatewayProcess} for one that is ready. */
  constructor(options: GatewayProcessOptions) {
    this.#config = options.config === undefined ? undefined : temporaryFile('pilotlight.yaml', options.config)
    this.#child = spawnGateway(options, this.#config)
    killOnExit(this.#child)
    const lines = new LineSplitter((line) => this.#take(line))
    const onData = (piece: Buffer): void => {
      this.output += piece.toString()
      lines.push(piece)
    }
    this.#child.stdout?.on('data', onData)
    this.#child.stderr?.on('data', onData)
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#exit = { code, signal }
        this.#config?.[Symbol.dispose]()
        resolve(this.#exit)
      })
    })
  }

  /** `http://127.0.0.1:port` of API and functions. */
  get url(): string {
    return this.#url
  }

  /** `http://127.0.0.1:port` of metrics and health. */
  get metricsUrl(): string {
    return this.#metricsUrl
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the gateway process could not be spawned')
    return this.#child.pid
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Resolves when it listens. @throws Error with its output when it exits first */
  async listening(): Promise<void> {
    await eventually('the gateway to listen', () => this.#url !== '' || this.#exit !== undefined, patienceMs)
    if (this.#url === '') throw new Error(`the gateway exited instead of listening:\n${this.output}`)
  }

  get isRunning(): boolean {
    return this.#exit === undefined
  }

  /** Resident memory now, in bytes. */
  residentBytes(): number {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) * 1024
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.#metricsUrl}/metrics`, { headers: { connection: 'close' } })).text()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit !== undefined) return
    this.signal('SIGTERM')
    try {
      await eventually('the gateway to exit after SIGTERM', () => this.#exit, patienceMs)
    } catch (error) {
      this.signal('SIGKILL')
      await this.exited
      throw error
    }
  }

  #take(line: string): void {
    const entryOfLog = decode(line)
    this.logs.push(entryOfLog)
    if (entryOfLog['msg'] !== 'gateway listening' && entryOfLog['message'] !== 'gateway listening') return
    this.#url = String(entryOfLog['url']).replace(/\/$/, '')
    this.#metricsUrl = String(entryOfLog['metricsUrl']).replace(/\/$/, '')
  }
}

/** Starts a gateway and resolves when it listens. */
export async function startGatewayProcess(options: GatewayProcessOptions = {}): Promise<GatewayProcess> {
  const gateway = new GatewayProcess(options)
  try {
    await gateway.listening()
    return gateway
  } catch (error) {
    gateway.signal('SIGKILL')
    await gateway.exited
    throw error
  }
}

function spawnGateway(options: GatewayProcessOptions, config: TemporaryFile | undefined): ChildProcess {
  const { env = {}, args = [], nodeFlags = [], launcher = [], entry = entryOfSources } = options
  const [command = '', ...rest] = [...launcher, process.execPath, ...nodeFlags, entry, ...args]
  const configEnv = config === undefined ? {} : { PILOTLIGHT_CONFIG: config.path }
  return spawn(command, rest, {
    env: { PATH: process.env['PATH'] ?? '', ...defaultEnv, ...configEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function decode(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine // JSON logs are objects, one a line
  } catch {
    return { message: line }
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { FreePorts } from '../../../deploy/cluster/free-ports.ts'
import { answersOk } from '../../../deploy/cluster/probes.ts'
import { eventually } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { type TemporaryFile, temporaryFile } from '../../support/temporary-file.ts'
import type { Contender } from '../contender.ts'
import { onContenderCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'
import { LogSink, type SinkKind } from './log-sink.ts'

/** Which calls the gateway logs; option of the plugin notifier. */
export type AccessLogMode = 'off' | 'sampled' | 'on'

/** A gateway's log. */
export interface LoggingOptions {
  readonly name: string
  readonly accessLog: AccessLogMode
  readonly to: SinkKind
  readonly upstreamUrl: string
}

const entry = fileURLToPath(new URL('../../../bin/pilotlight.js', import.meta.url))
const ports = new FreePorts()
const patienceMs = 15_000

/** A gateway whose standard output nobody of this process reads; its ports are fixed, for the log cannot tell them. */
export class LoggingGateway implements Contender, AsyncDisposable {
  readonly name: string
  readonly url: string
  readonly #child: ChildProcess
  readonly #sink: LogSink
  readonly #config: TemporaryFile

  private constructor(
    name: string,
    port: number,
    owned: { child: ChildProcess; sink: LogSink; config: TemporaryFile },
  ) {
    this.name = name
    this.url = `http://127.0.0.1:${port}`
    this.#child = owned.child
    this.#sink = owned.sink
    this.#config = owned.config
  }

  /** Resolves when it is ready. @throws Error when it is not in time */
  static async start({ name, accessLog, to, upstreamUrl }: LoggingOptions): Promise<LoggingGateway> {
    const [port, metricsPort] = [await ports.take(), await ports.take()]
    // JSON is YAML.
    const config = temporaryFile('pilotlight.yaml', JSON.stringify({ pluginOptions: { notifier: { accessLog } } }))
    const sink = new LogSink(to)
    const [command = '', ...args] = [...onContenderCpu, process.execPath, ...startFlags, entry]
    const child = spawn(command, args, {
      stdio: ['ignore', sink.descriptor, 'inherit'],
      env: {
        PATH: process.env['PATH'] ?? '',
        functions_provider_url: upstreamUrl,
        PILOTLIGHT_CONFIG: config.path,
        PILOTLIGHT_HOST: '127.0.0.1',
        PILOTLIGHT_PORT: String(port),
        PILOTLIGHT_METRICS_PORT: String(metricsPort),
        PILOTLIGHT_LOG_FORMAT: 'json',
      },
    })
    killOnExit(child)
    const gateway = new LoggingGateway(name, port, { child, sink, config })
    try {
      const isReady = (): Promise<boolean> => answersOk(`${gateway.url}/readyz`).catch(() => false)
      await eventually(`${name} to be ready`, isReady, patienceMs)
      return gateway
    } catch (error) {
      await gateway[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Bytes of log so far; undefined where they cannot be counted. */
  get loggedBytes(): number | undefined {
    return this.#sink.bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await exited
    }
    await this.#sink[Symbol.asyncDispose]()
    this.#config[Symbol.dispose]()
  }
}

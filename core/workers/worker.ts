import { flushCompileCache } from 'node:module'
import { GatewayError } from '../errors/gateway-error.ts'
import { Gateway } from '../gateway.ts'
import { createLogger, type RootLogger } from '../telemetry/pino-logger.ts'
import type { Clock } from '../time/clock.ts'
import { SystemClock } from '../time/system-clock.ts'
import type { Line } from './line.ts'
import { fromPortable } from './portable-config.ts'
import { answerQuestions } from './questions.ts'
import {
  heartbeatMs,
  heartbeatTopic,
  helloTopic,
  lifecycleTopic,
  type Heartbeat,
  type WorkerCommand,
  type WorkerStart,
  type WorkerStarted,
} from './worker-messages.ts'

/** A gateway that does what its supervisor says. */
export class Worker {
  readonly #line: Line
  readonly #clock: Clock = new SystemClock()
  readonly #cut = new AbortController()
  /** Resolves with the gateway once it serves, or without one when it could not start. */
  #starting: Promise<Gateway | undefined> = Promise.resolve(undefined)
  #log: RootLogger | undefined
  #graceMs = 0
  #isClosing = false

  constructor(line: Line) {
    this.#line = line
  }

  /** Does what the supervisor says from now on, until that closes it or is gone. @returns the exit code */
  async serve(): Promise<number> {
    const line = this.#line
    answerQuestions(line, lifecycleTopic, (command) => this.#obey(command as WorkerCommand)) // the supervisor is this program
    line.send(helloTopic, {})
    await new Promise<void>((resolve) => line.onClosed(resolve))
    return this.#isClosing ? 0 : this.#finishAlone()
  }

  async #obey(wanted: WorkerCommand): Promise<unknown> {
    switch (wanted.command) {
      case 'start':
        return this.#start(wanted.start)
      case 'announceDraining':
        return (await this.#starting)?.announceDraining()
      case 'drain':
        return this.#drain(wanted.graceMs)
      case 'cut':
        return this.#cut.abort()
      case 'close':
        return this.#close()
    }
  }

  async #start({ worker, config: portable, provider }: WorkerStart): Promise<WorkerStarted> {
    const config = fromPortable(portable)
    const clock = this.#clock
    this.#graceMs = config.gracePeriodMs
    const root = createLogger({ level: config.logLevel, format: config.logFormat, clock })
    this.#log = root
    const log = root.child({ worker })
    const endpoint = provider && { url: new URL(provider.url), authorization: provider.authorization }
    const gateway = new Gateway({ config, clock, log, supervision: { line: this.#line, worker, endpoint } })
    const addresses = gateway.start()
    this.#starting = addresses.then(
      () => gateway,
      () => undefined,
    )
    try {
      const { port } = await addresses
      this.#beat(gateway)
      flushCompileCache()
      return { port }
    } catch (error) {
      const { code } = GatewayError.from(error)
      log.error('the worker did not start', { err: error })
      return { failure: { code, message: error instanceof Error ? error.message : String(error) } }
    }
  }

  async #drain(graceMs: number): Promise<void> {
    const timer = this.#clock.after(graceMs, () => this.#cut.abort())
    const gateway = await this.#starting
    await gateway?.drain(this.#cut.signal)
    timer[Symbol.dispose]()
  }

  async #close(): Promise<number> {
    this.#isClosing = true
    let code = 0
    try {
      const gateway = await this.#starting
      await gateway?.[Symbol.asyncDispose]()
    } catch (err) {
      this.#log?.error('not everything could be closed', { err })
      code = 1
    }
    await this.#log?.close()
    return code
  }

  /** The supervisor is gone, and with it who would replace this process: it finishes what is under way. */
  async #finishAlone(): Promise<number> {
    this.#log?.error('the supervisor is gone: finishing what is under way')
    void this.#starting.then((gateway) => gateway?.announceDraining())
    await this.#drain(this.#graceMs)
    await this.#close()
    return 1
  }

  #beat(gateway: Gateway): void {
    this.#line.send(heartbeatTopic, { reasons: gateway.unready() } satisfies Heartbeat)
    this.#clock.after(heartbeatMs, () => this.#beat(gateway))
  }
}

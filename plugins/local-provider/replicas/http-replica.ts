import { backoffDelayMs, endToEndHeaders, GatewayError, headerValue, type Backoff, type Reply } from '#core'
import type { Workload } from '../functions/workload.ts'
import { describeEnd, type FunctionProcess } from '../processes/function-process.ts'
import { Refusal } from '../refusal.ts'
import { replicaHost } from './port-allocator.ts'
import type { FunctionCall, Replica } from './replica.ts'
import type { ReplicaDeps, ReplicaFacts } from './replica-deps.ts'
import { Slots } from './slots.ts'

const restart: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitterRatio: 0.2 }
/** A replica that was ready for so long failed anew: what went wrong before does not count any more. */
const stableAfterMs = 10_000

/**
 * A server process with a port of its own. When it ends it is started again, after a pause that grows with every failure.
 *
 * starting -> ready -> starting again after a pause -> ...; `stop` ends it from any of them.
 */
export class HttpReplica implements Replica {
  readonly instance: string
  readonly #workload: Workload
  readonly #deps: ReplicaDeps
  readonly #facts: ReplicaFacts
  readonly #slots: Slots
  readonly #stopping = new AbortController()
  #onChange: () => void = () => {}
  #running: Promise<void> = Promise.resolve()
  #process: FunctionProcess | undefined
  /** Set while it is ready. */
  #port: number | undefined
  #failures = 0
  #reason = ''

  constructor(workload: Workload, deps: ReplicaDeps, facts: ReplicaFacts) {
    this.instance = facts.instance
    this.#workload = workload
    this.#deps = deps
    this.#facts = facts
    this.#slots = new Slots(workload.settings.maxInflight)
  }

  get isReady(): boolean {
    return this.#port !== undefined && !this.#stopping.signal.aborted
  }

  get reason(): string {
    return this.#reason
  }

  get groups(): readonly number[] {
    const pid = this.#process?.isRunning === true ? this.#process.pid : undefined
    return pid === undefined ? [] : [pid]
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    this.#running = this.#run()
  }

  async answer({ request, rest }: FunctionCall): Promise<Reply> {
    if (this.#port === undefined)
      throw new GatewayError('upstream_failed', 'the replica is gone', { details: { accepted: false } })
    if (!this.#slots.take()) throw new Refusal(429, `function ${this.#workload.name} answers as many calls as it may`)
    const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
    const host = request.header('host')
    if (host !== undefined && headerValue(headers, 'x-forwarded-host') === undefined)
      headers.push('X-Forwarded-Host', host)
    try {
      const reply = await this.#deps.forwarder.forward({
        request,
        origin: originOf(this.#port),
        path: rest.startsWith('/') ? rest : `/${rest}`,
        headers,
        timeoutMs: this.#workload.settings.execTimeoutMs,
      })
      reply.onEnd(() => this.#slots.release())
      return reply
    } catch (error) {
      this.#slots.release()
      throw error
    }
  }

  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      const graceMs = this.#graceMs()
      this.#stopping.abort()
      const patience = new AbortController()
      await Promise.race([this.#slots.idle(), this.#deps.clock.sleep(graceMs, patience.signal).catch(() => {})])
      patience.abort()
      await this.#process?.stop(graceMs)
    }
    await this.#running
  }

  /** No call can take longer than `exec_timeout`, so neither does an end. */
  #graceMs(): number {
    const { execTimeoutMs } = this.#workload.settings
    const { stopGraceMs } = this.#facts.limits
    return execTimeoutMs > 0 ? Math.min(execTimeoutMs, stopGraceMs) : stopGraceMs
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs()
      const problem = await this.#liveOnce()
      if (signal.aborted) return
      if (clock.monotonicMs() - startedMs > stableAfterMs) this.#failures = 0
      this.#failures += 1
      const delayMs = backoffDelayMs(restart, this.#failures, random)
      this.#explain(`${problem}; failure ${this.#failures}, next start in ${Math.round(delayMs)} ms`)
      await clock.sleep(delayMs, signal).catch(() => {})
    }
  }

  /** Starts the process and resolves with what went wrong when it has ended. */
  async #liveOnce(): Promise<string> {
    const { fixedPort } = this.#workload.settings
    const { ports } = this.#deps
    if (fixedPort !== undefined && !(await ports.takeExactly(fixedPort))) return `port ${fixedPort} is taken`
    const port = fixedPort ?? (await ports.take())
    if (port === undefined) return 'no free port is left (option replicaPorts)'
    try {
      return this.#stopping.signal.aborted ? '' : await this.#liveOn(port)
    } finally {
      ports.giveBack(port)
    }
  }

  async #liveOn(port: number): Promise<string> {
    const launched = this.#launch(port)
    this.#process = launched
    const isReady = await this.#waitUntilReady(launched, port)
    if (isReady && launched.isRunning) {
      this.#port = port
      this.#explain('')
      const end = await launched.ended
      this.#port = undefined
      this.#deps.forwarder.forget?.(originOf(port))
      return `process ended: ${describeEnd(end)}`
    }
    if (!launched.isRunning)
      return `process ended before it listened on port ${port}: ${describeEnd(await launched.ended)}`
    await launched.stop(this.#graceMs())
    return `process did not become ready on port ${port} within ${this.#facts.limits.startTimeoutMs} ms`
  }

  #launch(port: number): FunctionProcess {
    const { command, environment, home, settings } = this.#workload
    const { log } = this.#facts
    const launched = this.#deps.launcher.launch({
      command,
      environment: {
        ...environment,
        PORT: String(port),
        port: String(port),
        upstream_url: originOf(port),
      },
      directory: home,
      stdin: 'ignore',
    })
    log.watchdog(this.instance, `Forking fprocess: ${command.join(' ')}, port ${port}`)
    log.attach(this.instance, launched.pipes.stdout, { name: 'stdout', prefixed: settings.prefixLogs })
    log.attach(this.instance, launched.pipes.stderr, { name: 'stderr', prefixed: settings.prefixLogs })
    return launched
  }

  /** False when the process ended, its time is over or it shall stop. */
  async #waitUntilReady(launched: FunctionProcess, port: number): Promise<boolean> {
    const { clock, probe } = this.#deps
    const waiting = new AbortController()
    void launched.ended.then(() => waiting.abort())
    const signal = AbortSignal.any([waiting.signal, this.#stopping.signal])
    const timer = clock.after(this.#facts.limits.startTimeoutMs, () => waiting.abort())
    try {
      await probe.ready({ port, path: this.#workload.settings.readyPath }, signal)
      return true
    } catch {
      return false
    } finally {
      timer[Symbol.dispose]()
    }
  }

  #explain(reason: string): void {
    this.#reason = reason
    if (reason !== '') this.#facts.log.watchdog(this.instance, reason)
    this.#onChange()
  }
}

function originOf(port: number): string {
  return `http://${replicaHost}:${port}`
}

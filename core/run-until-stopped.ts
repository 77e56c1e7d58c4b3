import { flushCompileCache } from 'node:module'
import type { GatewayConfig } from './config/gateway-config.ts'
import type { GatewayAddresses } from './gateway.ts'
import type { Logger } from './telemetry/logger.ts'
import type { Clock } from './time/clock.ts'

/** What is run: one gateway, or a supervisor of several. */
export interface Runnable extends AsyncDisposable {
  start(): Promise<GatewayAddresses>
  announceDraining(): void
  drain(deadline: AbortSignal): Promise<void>
  /** What SIGHUP asks for. Never rejects. */
  roll?(): Promise<void>
}

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** The process, as far as signals concern it. */
export interface HostProcess {
  on(signal: Signal, listener: () => void): unknown
  off(signal: Signal, listener: () => void): unknown
  exit(code: number): never
}

/** What running works with. */
export interface RunDeps {
  readonly config: GatewayConfig
  readonly log: Logger
  readonly clock: Clock
  readonly host: HostProcess
}

/**
 * Starts a gateway and keeps it until SIGTERM or SIGINT, then: readiness off; the quiet period, in which everything is
 * served; then up to the grace period for what is under way. A second signal exits at once. SIGHUP rolls what can be rolled,
 * and otherwise does what it always does.
 *
 * @returns the exit code: 1 when something could not be closed
 * @throws what `Gateway.start` throws
 */
export async function runUntilStopped(gateway: Runnable, deps: RunDeps): Promise<number> {
  const { config, log, clock } = deps
  const signals = listenForSignals(deps)
  let isStarted = false
  const onHangUp = (): void => {
    if (isStarted) void gateway.roll?.()
    else log.warn('SIGHUP has no effect: the gateway is starting')
  }
  if (gateway.roll !== undefined) deps.host.on('SIGHUP', onHangUp)
  const addresses = await gateway.start()
  isStarted = true
  flushCompileCache()
  announce(addresses, deps)
  const signal = await signals.first
  log.info('stopping: readiness is off, still serving', { signal, quietPeriodMs: config.quietPeriodMs })
  gateway.announceDraining()
  await clock.sleep(config.quietPeriodMs)
  log.info('draining: no new connections', { gracePeriodMs: config.gracePeriodMs })
  const deadline = new AbortController()
  const timer = clock.after(config.gracePeriodMs, () => deadline.abort())
  await gateway.drain(deadline.signal)
  timer[Symbol.dispose]()
  if (deadline.signal.aborted) log.warn('the grace period is over: what was left has been cut')
  const code = await close(gateway, log)
  log.info('stopped')
  signals.ignore()
  deps.host.off('SIGHUP', onHangUp)
  return code
}

async function close(gateway: Runnable, log: Logger): Promise<number> {
  try {
    await gateway[Symbol.asyncDispose]()
    return 0
  } catch (err) {
    log.error('not everything could be closed', { err })
    return 1
  }
}

function listenForSignals({ host, log }: RunDeps) {
  const { promise, resolve } = Promise.withResolvers<string>()
  let received = 0
  const on = (signal: string) => (): void => {
    received += 1
    if (received === 1) {
      resolve(signal)
      return
    }
    log.warn('second signal: exiting at once', { signal })
    host.exit(1)
  }
  const onTerm = on('SIGTERM')
  const onInt = on('SIGINT')
  host.on('SIGTERM', onTerm)
  host.on('SIGINT', onInt)
  return {
    first: promise,
    ignore: (): void => {
      host.off('SIGTERM', onTerm)
      host.off('SIGINT', onInt)
    },
  }
}

function announce({ port, metricsPort }: GatewayAddresses, { config, log }: RunDeps): void {
  const host = config.host === '' || config.host === '::' || config.host === '0.0.0.0' ? '127.0.0.1' : config.host
  const shown = host.includes(':') ? `[${host}]` : host
  const url = `http://${shown}:${port}`
  const metricsUrl = `http://${shown}:${metricsPort}`
  log.info('gateway listening', { url, metricsUrl })
  if (config.functionsProviderUrl === undefined) log.info(`try it: curl ${url}/function/hello`)
}

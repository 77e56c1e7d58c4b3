// The local provider as a process of its own, so that several gateways share it: node deploy/cluster/local-provider.ts --help
import { randomBytes } from 'node:crypto'
import { EngineForwarder } from '../../core/http/engine.ts'
import { HttpProxyForwarder } from '../../core/http/http-proxy-forwarder.ts'
import { UndiciForwarder } from '../../core/http/undici-forwarder.ts'
import { H1Forwarder } from '../../core/http1/h1-forwarder.ts'
import { UndiciHttpClient } from '../../core/http/undici-http-client.ts'
import type { Logger } from '../../core/telemetry/logger.ts'
import { createLogger } from '../../core/telemetry/pino-logger.ts'
import { systemRandom } from '../../core/time/random.ts'
import { SystemClock } from '../../core/time/system-clock.ts'
import { HttpAnnouncer } from '../../plugins/local-provider/announcements/http-announcer.ts'
import { LoneProvider } from '../../plugins/local-provider/reports/lone-provider.ts'
import { startLocalProvider } from '../../plugins/local-provider/start.ts'
import { decideProvider, type ProviderSettings } from './provider-settings.ts'
import { stopSignals } from './stop-signals.ts'

const connectTimeoutMs = 5_000
const clock = new SystemClock()

const decision = decideProvider(process.argv.slice(2))
if (decision.action === 'exit') {
  process.stdout.write(decision.stdout)
  process.stderr.write(decision.stderr)
  process.exitCode = decision.code
} else {
  const { settings } = decision
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, clock })
  try {
    await run(settings, log)
  } catch (error) {
    process.stderr.write(`the local provider cannot start: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
  await log.close()
  process.exit()
}

/** Serves until SIGTERM or SIGINT, then finishes what is under way. A second signal ends it at once, functions too. */
async function run(settings: ProviderSettings, log: Logger): Promise<void> {
  const signals = stopSignals()
  void signals.second.then(() => process.exit(1))
  const http = new UndiciHttpClient({ clock, connectTimeoutMs })
  const forwarder = createForwarder()
  const { announceTo, instanceKey } = settings
  const provider = await startLocalProvider(
    settings.options,
    {
      defaultNamespace: settings.namespace,
      readTimeoutMs: 0,
      authorization: settings.authorization,
      // Without a key that gateways know, sidecars report to the provider only, by one that nobody else knows.
      instanceKey: instanceKey ?? randomBytes(32).toString('base64url'),
      gateways: instanceKey === undefined ? [] : announceTo.map(({ url }) => url),
    },
    {
      clock,
      random: systemRandom,
      forwarder,
      http,
      log,
      instances: new LoneProvider(),
      // Gateways that take reports of sidecars announce by themselves.
      ...(instanceKey === undefined ? { announcer: new HttpAnnouncer({ http, clock, targets: announceTo }) } : {}),
    },
  )
  const signal = await signals.first
  log.info('draining: no new connections', { signal, gracePeriodMs: settings.gracePeriodMs })
  await provider.drain()
  await provider.finishCalls(AbortSignal.timeout(settings.gracePeriodMs))
  await provider[Symbol.asyncDispose]()
  await Promise.all([forwarder[Symbol.asyncDispose](), http[Symbol.asyncDispose]()])
  log.info('stopped')
}

function createForwarder(): EngineForwarder {
  const options = { maxConnectionsPerUpstream: 1024, maxHeaderBytes: 1024 * 1024, connectTimeoutMs }
  const fallback = new UndiciForwarder({ clock, options })
  return new EngineForwarder({
    plain: new H1Forwarder({ clock, options, fallback }),
    httpProxy: new HttpProxyForwarder({ clock, options }),
  })
}

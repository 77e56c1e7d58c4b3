import { decide, type Invocation } from './cli.ts'
import type { GatewayConfig } from './config/gateway-config.ts'
import { GatewayError } from './errors/gateway-error.ts'
import { type Runnable, runUntilStopped } from './run-until-stopped.ts'
import type { Logger } from './telemetry/logger.ts'
import { createLogger } from './telemetry/pino-logger.ts'
import { systemRandom } from './time/random.ts'
import { SystemClock } from './time/system-clock.ts'

const wrongConfiguration = new Set(['config_invalid', 'plugin_duplicate', 'need_missing'])
const invocation: Invocation = { argv: process.argv.slice(2), env: process.env, cwd: process.cwd() }
const clock = new SystemClock()

const decision = decide(invocation)
if (decision.action === 'exit') {
  process.stdout.write(decision.stdout)
  process.stderr.write(decision.stderr)
  process.exitCode = decision.code
} else {
  const { config } = decision
  const log = createLogger({ level: config.logLevel, format: config.logFormat, clock })
  for (const notice of config.notices) log.warn(notice)
  try {
    process.exitCode = await runUntilStopped(await create(config, log), { config, log, clock, host: process })
  } catch (error) {
    const known = GatewayError.from(error)
    process.stderr.write(`pilotlight cannot start: ${error instanceof Error ? error.message : String(error)}\n`)
    log.error('the gateway did not start', { err: error })
    process.exitCode = wrongConfiguration.has(known.code) ? 2 : 1
  }
  await log.close()
  // Whatever a plugin left open must not keep a stopped gateway alive.
  process.exit()
}

/** One gateway in this process, or a supervisor of several; what the other one needs is not loaded. */
async function create(config: GatewayConfig, log: Logger): Promise<Runnable> {
  if (config.workers === 1) {
    const { Gateway } = await import('./gateway.ts')
    return new Gateway({ config, clock, log })
  }
  const { Supervisor } = await import('./workers/supervisor.ts')
  return new Supervisor({ config, clock, log, random: systemRandom, reread })
}

function reread(): GatewayConfig {
  const again = decide(invocation)
  if (again.action === 'start') return again.config
  throw new GatewayError('config_invalid', again.stderr.trim())
}

import { decide } from './cli.ts'
import { GatewayError } from './errors/gateway-error.ts'
import { Gateway } from './gateway.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import { createLogger } from './telemetry/pino-logger.ts'
import { SystemClock } from './time/system-clock.ts'

const wrongConfiguration = new Set(['config_invalid', 'plugin_duplicate', 'need_missing'])

const decision = decide({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() })
if (decision.action === 'exit') {
  process.stdout.write(decision.stdout)
  process.stderr.write(decision.stderr)
  process.exitCode = decision.code
} else {
  const { config } = decision
  const clock = new SystemClock()
  const log = createLogger({ level: config.logLevel, format: config.logFormat, clock })
  for (const notice of config.notices) log.warn(notice)
  try {
    process.exitCode = await runUntilStopped(new Gateway({ config, clock, log }), { config, log, clock, host: process })
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

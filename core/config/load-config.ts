import { dirname, resolve } from 'node:path'
import { GatewayError } from '../errors/gateway-error.ts'
import { readConfigFile } from './config-file.ts'
import type { ConfigFault } from './config-fault.ts'
import { readEnvironment, valueOf, type Environment } from './environment.ts'
import { readFlags, type FlagValues } from './flags.ts'
import type { GatewayConfig } from './gateway-config.ts'
import { resolveConfig } from './resolve-config.ts'

/** Where a configuration comes from. */
export interface ConfigSources {
  /** The value of `--config`, relative to `cwd`; wins over the variable `PILOTLIGHT_CONFIG`. */
  readonly argvConfigPath: string | undefined
  readonly flags: FlagValues
  readonly env: Environment
  readonly cwd: string
}

/**
 * Reads the whole configuration. For each setting the flag wins over the file, the file over the environment, and the
 * environment over the default: the file is written by the operator for this very gateway, while variables often come from
 * an image or a chart that was made for OpenFaaS.
 *
 * @throws GatewayError `config_invalid`; its message lists every fault of every source, one a line
 */
export function loadConfig(sources: ConfigSources): GatewayConfig {
  const environment = readEnvironment(sources.env)
  const flags = readFlags(sources.flags)
  const path = sources.argvConfigPath ?? valueOf(sources.env, 'PILOTLIGHT_CONFIG')
  const absolutePath = path === undefined ? undefined : resolve(sources.cwd, path)
  const file =
    path === undefined || absolutePath === undefined ? { settings: {}, faults: [] } : readConfigFile(absolutePath, path)
  const { config, faults } = resolveConfig([environment.settings, file.settings, flags.settings])
  // A combination has no place of its own; the file is where it is changed with the least surprise.
  const combined = faults.map(({ where, text }) => ({ where: `${path ?? 'settings'}: ${where}`, text }))
  const all = [...flags.faults, ...file.faults, ...combined, ...environment.faults]
  if (all.length > 0) throw new GatewayError('config_invalid', describe(all))
  return {
    ...config,
    notices: [...environment.notices, ...noticesOf(config)],
    baseDirectory: absolutePath === undefined ? sources.cwd : dirname(absolutePath),
  }
}

/** What a configuration asks for in vain, or in a way that is seldom meant. */
function noticesOf(config: Omit<GatewayConfig, 'notices' | 'baseDirectory'>): string[] {
  const { httpProxy, httpsProxy, engine, redisUrl, functionsProviderUrl } = config
  const notices: string[] = []
  if (engine === 'http-proxy' && (httpProxy !== undefined || httpsProxy !== undefined)) {
    notices.push(
      'HTTP_PROXY and HTTPS_PROXY do not apply to calls of functions with the engine http-proxy: they go straight',
    )
  }
  if (redisUrl !== '' && functionsProviderUrl === undefined) {
    notices.push(
      'gateways that share a Redis must share a provider: name it by functions_provider_url, or let no other gateway use this PILOTLIGHT_REDIS_PREFIX',
    )
  }
  return notices
}

function describe(faults: readonly ConfigFault[]): string {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  return [`configuration is invalid, ${count}:`, ...faults.map(({ where, text }) => `  ${where}: ${text}`)].join('\n')
}

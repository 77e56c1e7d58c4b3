import { stringify } from 'yaml'
import { formatDuration } from './duration.ts'
import type { GatewayConfig } from './gateway-config.ts'
import { maskSecrets } from './mask-secrets.ts'

/**
 * Writes a configuration as a configuration file that would load to the same one, except that secrets and the
 * credentials in URLs are `***`. Keys without a value are left out.
 */
export function printConfig(config: GatewayConfig): string {
  // What a file cannot say: it follows from where the file is and from the environment.
  const { notices: _notices, baseDirectory: _baseDirectory, isInstanceKeyRandom, ...settings } = config
  const { prometheusUrl = null, instanceKey } = settings
  const own = { prometheusUrl, instanceKey: isInstanceKeyRandom ? undefined : instanceKey }
  const entries = Object.entries({ ...settings, ...own })
  const file = Object.fromEntries(entries.filter(([, value]) => value !== undefined).map(toFileEntry))
  return stringify(maskSecrets(file), { lineWidth: 0 })
}

function toFileEntry([key, value]: readonly [string, unknown]): [string, unknown] {
  if (value instanceof URL) return [key, value.href]
  if (key.endsWith('Ms') && typeof value === 'number') return [key.slice(0, -'Ms'.length), formatDuration(value)]
  return [key, value]
}

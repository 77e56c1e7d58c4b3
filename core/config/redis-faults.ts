import { parseRedisUrl } from '../redis/redis-url.ts'
import { readTlsOptions } from '../redis/tls-files.ts'
import type { ConfigFault } from './config-fault.ts'
import type { GatewayConfig } from './gateway-config.ts'

type RedisSettings = Pick<GatewayConfig, 'redisUrl' | 'redisTimeoutMs' | 'leaseTtlMs'>

/** What is wrong with settings of Redis that are right each by itself: files that cannot be read, a lease shorter than its renewal. */
export function redisFaults({ redisUrl, redisTimeoutMs, leaseTtlMs }: RedisSettings): ConfigFault[] {
  const faults = fileFaults(redisUrl).map((text) => ({ where: 'redisUrl', text }))
  if (leaseTtlMs >= 2 * redisTimeoutMs) return faults
  return [
    ...faults,
    { where: 'leaseTtl', text: 'must be at least twice redisTimeout, or a slow answer would cost the lease' },
  ]
}

function fileFaults(url: string): string[] {
  const tls = url === '' ? undefined : parseRedisUrl(url).topology?.tls
  if (tls === undefined) return []
  try {
    readTlsOptions(tls)
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

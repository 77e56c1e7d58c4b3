import type { RedisServer } from '../../support/redis-servers.ts'

/** Commands that a Redis was sent so far, those inside of scripts included, by name. */
export type RedisCommands = Readonly<Record<string, number>>

/** Asks a Redis what it has done. */
export async function redisCommands(redis: RedisServer): Promise<RedisCommands> {
  return parseCommandStats(String(await redis.command('INFO', 'commandstats')))
}

/** Reads `INFO commandstats`, but for INFO itself, which only the benchmark sends. */
export function parseCommandStats(text: string): RedisCommands {
  const found = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
  return Object.fromEntries(found.flatMap(([, name = '', calls]) => (name === 'info' ? [] : [[name, Number(calls)]])))
}

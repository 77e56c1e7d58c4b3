import type { RedisServer } from '../../support/redis-servers.ts'
import { parseCommandStats, type RedisCommands } from '../fleet/redis-usage.ts'

/** What a Redis says of itself at one moment; counts are since its start. */
export interface RedisState {
  readonly commands: RedisCommands
  readonly inputBytes: number
  readonly outputBytes: number
  readonly cpuMs: number
  readonly clients: number
  /** That its clients' connections take. */
  readonly clientMemoryBytes: number
  /** That all of it takes. */
  readonly memoryBytes: number
}

/** What a Redis had to do for a while, a second. */
export interface RedisLoad extends Pick<RedisState, 'clients' | 'clientMemoryBytes' | 'memoryBytes'> {
  readonly commandsPerSecond: number
  /** By name, the most frequent first. */
  readonly byName: readonly (readonly [string, number])[]
  readonly inputBytesPerSecond: number
  readonly outputBytesPerSecond: number
  readonly cpuMsPerSecond: number
}

/** Asks a Redis. */
export async function redisState(redis: RedisServer): Promise<RedisState> {
  return parseRedisInfo(String(await redis.command('INFO', 'everything')))
}

/** Reads `INFO everything`. */
export function parseRedisInfo(text: string): RedisState {
  const number = (field: string): number => Number(new RegExp(`^${field}:(\\S+)`, 'm').exec(text)?.[1])
  return {
    commands: parseCommandStats(text),
    inputBytes: number('total_net_input_bytes'),
    outputBytes: number('total_net_output_bytes'),
    cpuMs: (number('used_cpu_user') + number('used_cpu_sys')) * 1000,
    clients: number('connected_clients'),
    clientMemoryBytes: number('mem_clients_normal'),
    memoryBytes: number('used_memory'),
  }
}

/** What it did between two moments. */
export function redisLoadBetween(before: RedisState, after: RedisState, seconds: number): RedisLoad {
  const byName = Object.entries(after.commands)
    .map(([name, calls]) => [name, (calls - (before.commands[name] ?? 0)) / seconds] as const)
    .filter(([, perSecond]) => perSecond > 0)
    .toSorted(([, one], [, other]) => other - one)
  return {
    commandsPerSecond: byName.reduce((sum, [, perSecond]) => sum + perSecond, 0),
    byName,
    inputBytesPerSecond: (after.inputBytes - before.inputBytes) / seconds,
    outputBytesPerSecond: (after.outputBytes - before.outputBytes) / seconds,
    cpuMsPerSecond: (after.cpuMs - before.cpuMs) / seconds,
    // The question itself is one.
    clients: after.clients - 1,
    clientMemoryBytes: after.clientMemoryBytes,
    memoryBytes: after.memoryBytes,
  }
}

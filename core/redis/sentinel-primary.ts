import type { Redis } from 'ioredis'
import type { Clock } from '../time/clock.ts'
import { connectClient } from './connect-client.ts'
import { createServerClient } from './redis-clients.ts'
import type { RedisAddress, SentinelTopology } from './redis-topology.ts'
import { withinLimit } from './within-limit.ts'

/** How to ask Sentinels. */
export interface AskOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Longest time for all of them together, milliseconds. */
  readonly limitMs: number
}

interface Appointment {
  readonly address: RedisAddress
  /** Grows with every failover: who knows the largest is not behind. */
  readonly epoch: number
}

/**
 * Asks all Sentinels at once for the primary, and believes the one that has seen the latest failover: one that was cut off from
 * the others may still name the old primary, one that hangs must not hold up the rest.
 *
 * @throws the fault of one of them when none knows the primary
 * @see https://redis.io/docs/latest/develop/reference/sentinel-clients/
 */
export async function findPrimary(topology: SentinelTopology, options: AskOptions): Promise<RedisAddress> {
  const answers = await Promise.allSettled(topology.sentinels.map((sentinel) => ask(sentinel, topology, options)))
  const appointments = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const [latest] = appointments.toSorted((one, other) => other.epoch - one.epoch)
  if (latest !== undefined) return latest.address
  const faults = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  throw faults[0] ?? new Error('there are no Sentinels')
}

async function ask(sentinel: RedisAddress, topology: SentinelTopology, options: AskOptions): Promise<Appointment> {
  const { sentinelCredentials: credentials, tls, primaryName } = topology
  const client = createServerClient({ address: sentinel, credentials, tls, connectTimeoutMs: options.limitMs })
  await connectClient(client, options)
  try {
    return toAppointment(await withinLimit(describePrimary(client, primaryName), options))
  } finally {
    client.disconnect()
  }
}

async function describePrimary(client: Redis, name: string): Promise<ReadonlyMap<string, string>> {
  const reply = await client.call('SENTINEL', 'MASTER', name)
  const words = Array.isArray(reply) ? reply.map(String) : []
  const pairs = words.flatMap((word, at): [string, string][] => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : []))
  return new Map(pairs)
}

function toAppointment(fields: ReadonlyMap<string, string>): Appointment {
  const host = fields.get('ip') ?? ''
  const port = Number(fields.get('port'))
  if (host === '' || !(port > 0)) throw new Error('a Sentinel gave no address of the primary')
  return { address: { host, port }, epoch: Number(fields.get('config-epoch') ?? 0) }
}

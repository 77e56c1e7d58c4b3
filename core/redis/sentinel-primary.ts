import type { Redis } from 'ioredis'
import type { Clock } from '../time/clock.ts'
import { connectClient } from './connect-client.ts'
import { createServerClient } from './redis-clients.ts'
import type { RedisAddress, SentinelTopology } from './redis-topology.ts'

/** How to ask Sentinels. */
export interface AskOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Longest time for connecting to all of them and asking them, together, milliseconds. */
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
  const told = Promise.withResolvers<Appointment>()
  // Asking is a part of connecting, so that one limit holds for both.
  const prepare = async (): Promise<void> => told.resolve(await appointmentBy(client, primaryName))
  await connectClient(client, { ...options, prepare })
  client.disconnect()
  return told.promise
}

/** The address is that of a replica as soon as it is promoted; `SENTINEL MASTER` names it only when all others follow it. */
async function appointmentBy(client: Redis, name: string): Promise<Appointment> {
  const [address, fields] = await Promise.all([
    client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
    client.call('SENTINEL', 'MASTER', name),
  ])
  const [host = '', port] = textsOf(address)
  if (host === '') throw new Error('a Sentinel gave no address of the primary')
  return { address: { host, port: Number(port) }, epoch: epochIn(textsOf(fields)) }
}

/** A Sentinel that does not tell its epoch, as a number, is behind all that do. */
function epochIn(words: readonly string[]): number {
  const at = words.indexOf('config-epoch')
  const epoch = at === -1 ? 0 : Number(words[at + 1])
  return Number.isFinite(epoch) ? epoch : 0
}

function textsOf(reply: unknown): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}

import { eventually } from './eventually.ts'
import { type RedisServer, startRedis } from './redis-servers.ts'

/** A primary, two replicas and three Sentinels that agree on them. Disposing it kills all. */
export interface SentinelSet extends AsyncDisposable {
  /** `redis+sentinel://...` */
  readonly url: string
  readonly sentinels: readonly RedisServer[]
  /** The data servers, whatever their role. */
  readonly servers: readonly RedisServer[]
  /** The server that the Sentinels name now. */
  primary(): Promise<RedisServer>
}

const name = 'main'
/** Patience of each Sentinel. Three that notice at the same moment vote for themselves, and try again after seconds. */
const downAfterMs = [300, 1_500, 3_000]
const quick = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
/**
 * Sentinels ask each other and the servers rarely by default; a test cannot wait for that. The period of pings stays: what a Sentinel
 * knows of a replica would count as too old for a failover, for it does not ask faster then.
 */
const periods = ['info-period', 'ask-period', 'publish-period'].flatMap((period) => [period, '100'])

/** Rules of users, as `ACL SETUSER` takes them; the default users stay. */
export interface SentinelSetOptions {
  readonly acl?: readonly string[]
  readonly sentinelAcl?: readonly string[]
}

/** Starts servers and Sentinels, and resolves when a failover would succeed. */
export async function startSentinelSet({ acl = [], sentinelAcl = [] }: SentinelSetOptions = {}): Promise<SentinelSet> {
  await using stack = new AsyncDisposableStack()
  const primary = stack.use(await startRedis({ args: quick, acl }))
  const replicas = await Promise.all(
    [1, 2].map(() => startRedis({ args: [...quick, '--replicaof', primary.host, `${primary.port}`], acl })),
  )
  for (const replica of replicas) stack.use(replica)
  // Not as flags: a Sentinel writes its users to its file, and would find them twice when it starts again.
  const users = sentinelAcl.map((rules) => `user ${rules}\n`).join('')
  const sentinels = await Promise.all(
    downAfterMs.map((ms) => startRedis({ sentinel: true, config: watching(primary, ms) + users })),
  )
  for (const sentinel of sentinels) stack.use(sentinel)
  for (const sentinel of sentinels) {
    await sentinel.command('SENTINEL', 'DEBUG', ...periods)
    await eventually('a Sentinel to know all others', () => knowsAll(sentinel), 10_000)
  }

  const servers = [primary, ...replicas]
  const kept = stack.move()
  return {
    url: `redis+sentinel://${sentinels.map(({ host, port }) => `${host}:${port}`).join(',')}/${name}`,
    sentinels,
    servers,
    primary: () => primaryOf(sentinels, servers),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function watching({ host, port }: RedisServer, downMs: number): string {
  return `sentinel monitor ${name} ${host} ${port} 1
sentinel down-after-milliseconds ${name} ${downMs}
sentinel failover-timeout ${name} 2000
sentinel parallel-syncs ${name} 2
`
}

async function knowsAll(sentinel: RedisServer): Promise<boolean> {
  const fields = await sentinel.command('SENTINEL', 'MASTER', name)
  const words = Array.isArray(fields) ? fields.map(String) : []
  const count = (field: string): number => Number(words[words.indexOf(field) + 1])
  if (count('num-slaves') < 2 || count('num-other-sentinels') < 2) return false
  const replicas = JSON.stringify(await sentinel.command('SENTINEL', 'REPLICAS', name))
  return replicas.match(/"master-link-status","ok"/g)?.length === 2
}

async function primaryOf(sentinels: readonly RedisServer[], servers: readonly RedisServer[]): Promise<RedisServer> {
  const sentinel = sentinels.find(({ isRunning }) => isRunning)
  const address = await sentinel?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
  const port = Array.isArray(address) ? Number(address[1]) : undefined
  const server = servers.find((one) => one.port === port)
  if (server === undefined) throw new Error(`the Sentinels name a server that is not of this set: ${String(address)}`)
  return server
}

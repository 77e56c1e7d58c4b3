import { eventually } from './eventually.ts'
import { freePort, type RedisServer, type RedisServerOptions, startRedis } from './redis-servers.ts'

/** A Cluster of three primaries with a replica each. Disposing it kills all. */
export interface RedisClusterSet extends AsyncDisposable {
  /** `redis+cluster://...`, naming three of the nodes. */
  readonly url: string
  readonly nodes: readonly RedisServer[]
  /** The primary that holds a key now, as the running nodes see it. */
  ownerOf(key: string): Promise<RedisServer>
}

const slots = 16_384
const flags = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '500', '--cluster-allow-replica-migration', 'no'],
  ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
]

/**
 * Starts a Cluster and resolves when all nodes agree that it works and a failover would succeed.
 * @param acl rules of users, as `ACL SETUSER` takes them; the default user stays
 */
export async function startRedisCluster({ acl = [] }: Pick<RedisServerOptions, 'acl'> = {}): Promise<RedisClusterSet> {
  await using stack = new AsyncDisposableStack()
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode(acl)))
  for (const { server } of nodes) stack.use(server)
  const [first] = nodes
  if (first === undefined) throw new Error('a Cluster has nodes')
  await Promise.all(nodes.map(({ server }, at) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)))
  await Promise.all(
    nodes.map(({ server }) => server.command('CLUSTER', 'MEET', first.server.host, first.server.port, first.busPort)),
  )
  const servers = nodes.map(({ server }) => server)
  const primaries = servers.slice(0, 3)
  await Promise.all(
    primaries.map((server, at) => {
      const [from, to] = [Math.ceil((at * slots) / 3), Math.ceil(((at + 1) * slots) / 3) - 1]
      return server.command('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }),
  )
  for (const [at, replica] of servers.slice(3).entries()) {
    const id = String(await primaries[at]?.command('CLUSTER', 'MYID'))
    await eventually('a replica to know its primary', () => accepted(replica.command('CLUSTER', 'REPLICATE', id)))
  }
  for (const server of servers) await eventually('the Cluster to form', () => hasFormed(server), 10_000)

  const kept = stack.move()
  return {
    url: `redis+cluster://${primaries.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    nodes: servers,
    ownerOf: (key) => ownerOf(key, servers),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The bus listens on a port of its own: the usual one, 10,000 higher, may not exist. */
async function startNode(acl: readonly string[]): Promise<{ readonly server: RedisServer; readonly busPort: number }> {
  const busPort = await freePort()
  return { server: await startRedis({ args: [...flags, '--cluster-port', `${busPort}`], acl }), busPort }
}

async function accepted(reply: Promise<unknown>): Promise<boolean> {
  try {
    await reply
    return true
  } catch {
    return false
  }
}

async function hasFormed(server: RedisServer): Promise<boolean> {
  const info = String(await server.command('CLUSTER', 'INFO'))
  if (!info.includes('cluster_state:ok') || !info.includes('cluster_known_nodes:6')) return false
  const nodes = String(await server.command('CLUSTER', 'NODES'))
  if (nodes.match(/slave/g)?.length !== 3 || /fail|handshake/.test(nodes)) return false
  const replication = String(await server.command('INFO', 'replication'))
  return replication.includes('role:master')
    ? replication.includes('state=online')
    : replication.includes('master_link_status:up')
}

async function ownerOf(key: string, servers: readonly RedisServer[]): Promise<RedisServer> {
  const asked = servers.find(({ isRunning }) => isRunning)
  const slot = Number(await asked?.command('CLUSTER', 'KEYSLOT', key))
  const ranges = await asked?.command('CLUSTER', 'SLOTS')
  const range = Array.isArray(ranges) ? ranges.find(([from, to]) => from <= slot && slot <= to) : undefined
  const owner = servers.find(({ port }) => port === Number(range?.[2]?.[1]))
  if (owner === undefined) throw new Error(`no node of the Cluster holds ${key}`)
  return owner
}

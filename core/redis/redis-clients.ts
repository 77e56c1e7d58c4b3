import { Cluster, Redis } from 'ioredis'
import type { ClusterTopology, RedisAddress, RedisCredentials, RedisTls } from './redis-topology.ts'
import { SocketConnector } from './socket-connector.ts'
import { readTlsOptions } from './tls-files.ts'

/** How to reach one server. */
export interface ServerOptions {
  readonly address: RedisAddress
  readonly credentials: RedisCredentials | undefined
  readonly tls: RedisTls | undefined
  readonly database?: number
  /** Longest time until a TCP or TLS connection stands. */
  readonly connectTimeoutMs: number
}

/** Name of our connections in `CLIENT LIST`. */
const connectionName = 'pilotlight'

/**
 * What holds for all clients: one attempt to connect, on our word, then the end; no command waits for a connection or is sent
 * twice. RESP 2 with AUTH works with every version. No ready check: it needs the permission for INFO and starts timers of its own;
 * a server that is not ready says so in its answers.
 */
const commonOptions = {
  Connector: SocketConnector,
  lazyConnect: true,
  retryStrategy: () => null,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  disableClientInfo: true,
  protocol: 2,
  connectionName,
  keepAlive: 10_000,
  // How long a closing connection may take to say goodbye.
  disconnectTimeout: 100,
} as const

/** Creates the client of one server; it connects when told to. */
export function createServerClient(options: ServerOptions): Redis {
  const { address, database = 0 } = options
  return new Redis({ ...commonOptions, ...connectionOptions(options), ...address, db: database })
}

/** Creates the client of a Cluster; it connects when told to. */
export function createClusterClient(
  { nodes, credentials, tls }: ClusterTopology,
  { connectTimeoutMs }: Pick<ServerOptions, 'connectTimeoutMs'>,
): Cluster {
  const { lazyConnect, retryStrategy: _, enableOfflineQueue: __, ...nodeOptions } = commonOptions
  const cluster = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      lazyConnect,
      clusterRetryStrategy: () => null,
      enableReadyCheck: false,
      // Commands to a node that is being connected to wait for that, not longer than their own limit. The client itself is used when it is
      // ready only.
      enableOfflineQueue: true,
      // Waiting for a better answer is the caller's business: it has a time limit, and may decide to go on alone.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnTryAgain: 10,
      maxRedirections: 5,
      slotsRefreshTimeout: connectTimeoutMs / 2,
      // Names stay names: certificates carry them, and the platform looks them up at every connection.
      dnsLookup: (host, callback) => callback(null, host),
      redisOptions: { ...nodeOptions, ...connectionOptions({ credentials, tls, connectTimeoutMs }) },
    },
  )
  // ioredis leaves the answer to ASKING alone: a connection that breaks just then would end the process.
  cluster.on('+node', (node: Redis) => {
    const asking = node.asking.bind(node)
    node.asking = () => {
      const answer = asking()
      answer.catch(() => {})
      return answer
    }
  })
  return cluster
}

function connectionOptions({ credentials, tls, connectTimeoutMs }: Omit<ServerOptions, 'address'>): object {
  return {
    connectTimeout: connectTimeoutMs,
    ...(credentials?.username ? { username: credentials.username } : {}),
    ...(credentials === undefined ? {} : { password: credentials.password }),
    ...(tls === undefined ? {} : { tls: readTlsOptions(tls) }),
  }
}

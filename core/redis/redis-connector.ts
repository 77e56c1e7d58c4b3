import { Cluster, type Redis } from 'ioredis'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { connectClient, type ConnectOptions } from './connect-client.ts'
import { createClusterClient, createServerClient } from './redis-clients.ts'
import type { RedisAddress, RedisTopology } from './redis-topology.ts'
import { findPrimary } from './sentinel-primary.ts'

/** What connecting works with. */
export interface ConnectorDeps {
  readonly topology: RedisTopology
  readonly clock: Clock
  readonly random: Random
  /** Longest time for one command. A connection may take longer: see {@link connectLimitMs}. */
  readonly timeoutMs: number
}

/** Longest time until a connection can be used: several round trips, and a TLS handshake. */
export function connectLimitMs(timeoutMs: number): number {
  return Math.max(1_000, 5 * timeoutMs)
}

/** A Sentinel that hangs holds up every connection for so long. */
function sentinelsLimitMs(timeoutMs: number): number {
  return Math.max(300, 3 * timeoutMs)
}

/** Makes connections to wherever the data is at the moment, for each topology in its way. */
export class RedisConnector {
  readonly #deps: ConnectorDeps
  readonly #limitMs: number

  constructor(deps: ConnectorDeps) {
    this.#deps = deps
    this.#limitMs = connectLimitMs(deps.timeoutMs)
  }

  /** Connects a client for commands. */
  async connectCommands(signal: AbortSignal): Promise<Redis | Cluster> {
    const { topology } = this.#deps
    if (topology.kind !== 'cluster') return this.#connectServer(await this.#locate(topology, signal), { signal })
    const cluster = createClusterClient(topology, { connectTimeoutMs: this.#limitMs })
    await connectClient(cluster, { ...this.#options(signal), prepare: connectPrimaries })
    return cluster
  }

  /**
   * Connects a client that is to subscribe. In a Cluster one node is as good as another: what is published reaches all of them.
   * @param known client for commands, which knows the nodes
   */
  async connectSubscriber(
    known: Redis | Cluster | undefined,
    { signal, prepare }: { readonly signal: AbortSignal; readonly prepare: (client: Redis) => Promise<unknown> },
  ): Promise<Redis> {
    const { topology, random } = this.#deps
    if (topology.kind !== 'cluster') {
      return this.#connectServer(await this.#locate(topology, signal), { signal, prepare })
    }
    const nodes = known instanceof Cluster ? known.nodes().map(addressOf) : topology.nodes
    const choice = nodes.length === 0 ? topology.nodes : nodes
    const address = choice[Math.floor(random() * choice.length)] ?? { host: '', port: 0 }
    return this.#connectServer(address, { signal, prepare })
  }

  async #locate(topology: Exclude<RedisTopology, { kind: 'cluster' }>, signal: AbortSignal): Promise<RedisAddress> {
    if (topology.kind === 'standalone') return topology.address
    const { clock, timeoutMs } = this.#deps
    return findPrimary(topology, { clock, signal, limitMs: sentinelsLimitMs(timeoutMs) })
  }

  #connectServer(address: RedisAddress, options: Pick<ConnectOptions<Redis>, 'signal' | 'prepare'>): Promise<Redis> {
    const { topology } = this.#deps
    const { credentials, tls } = topology
    const database = topology.kind === 'cluster' ? 0 : topology.database
    const client = createServerClient({ address, credentials, tls, database, connectTimeoutMs: this.#limitMs })
    return connectClient(client, { ...this.#options(options.signal), ...options })
  }

  #options(signal: AbortSignal): Pick<ConnectOptions<never>, 'clock' | 'limitMs' | 'signal'> {
    return { clock: this.#deps.clock, limitMs: this.#limitMs, signal }
  }
}

/** The first command would wait for it otherwise. A node that cannot be reached now does not count. */
async function connectPrimaries(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes('master')) {
    if (node.status === 'wait') node.connect().catch(() => {})
  }
}

function addressOf({ options: { host, port } }: Redis): RedisAddress {
  return { host: host ?? '', port: port ?? 0 }
}

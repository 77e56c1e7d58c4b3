/** Where one server listens. */
export interface RedisAddress {
  /** Name or address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** Who to log in as. */
export interface RedisCredentials {
  /** Empty for the default user. */
  readonly username: string
  readonly password: string
}

/** What encrypted connections are made with. Paths are absolute. */
export interface RedisTls {
  /** Certificates to trust instead of the public ones. */
  readonly caFile: string | undefined
  /** Own certificate and its key, for servers that ask; both or none. */
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  /** Name that the servers' certificates must carry, instead of the host that is connected to. */
  readonly servername: string | undefined
}

interface Common {
  readonly credentials: RedisCredentials | undefined
  /** Undefined for plain TCP. */
  readonly tls: RedisTls | undefined
}

/** One server, or whatever stands behind one address. */
export interface StandaloneTopology extends Common {
  readonly kind: 'standalone'
  readonly address: RedisAddress
  readonly database: number
}

/** A primary that Sentinels appoint. */
export interface SentinelTopology extends Common {
  readonly kind: 'sentinel'
  readonly sentinels: readonly RedisAddress[]
  /** Name under which the Sentinels watch it. */
  readonly primaryName: string
  readonly sentinelCredentials: RedisCredentials | undefined
  readonly database: number
}

/** A Redis Cluster; the other nodes are learnt from the ones named. */
export interface ClusterTopology extends Common {
  readonly kind: 'cluster'
  readonly nodes: readonly RedisAddress[]
}

/** What a Redis URL stands for. */
export type RedisTopology = StandaloneTopology | SentinelTopology | ClusterTopology

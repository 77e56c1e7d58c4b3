/** How a cluster is made. */
export interface ClusterOptions {
  /** Default 3. */
  readonly gateways?: number
  /** Port of the balancer on loopback. Default any free one. */
  readonly port?: number
  /** `local` runs the local provider as a process of its own; anything else is the URL of a provider that runs already. */
  readonly provider?: string
  /** Options of the plugin local-provider, for that process; see plugins/local-provider/options.ts. */
  readonly providerOptions?: Readonly<Record<string, unknown>>
  /**
   * `start` (the default) runs redis-server; `none` leaves each gateway alone; a function returns the URL by which each gateway (by its
   * number, from 1) reaches one that runs already.
   */
  readonly redis?: 'start' | 'none' | ((gateway: number) => string)
  /** Which balancer stands in front. Default haproxy, or nginx where that is missing. */
  readonly balancer?: 'haproxy' | 'nginx'
  /** Has the management API of gateways and provider ask for a user and a password. Default false. */
  readonly basicAuth?: boolean
  /** Environment of every program, besides what the cluster sets. Default: only `PATH`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Variables of one gateway (by its number, from 1) over `env`. */
  readonly envOf?: (gateway: number) => Readonly<Record<string, string>>
  /** Options of the gateways' plugins, by their names. */
  readonly pluginOptions?: Readonly<Record<string, unknown>>
  /** Told every line that a program writes. */
  readonly onLine?: (program: string, line: string) => void
  /** Told of a program that ended unasked. */
  readonly onDeath?: (death: Death) => void
}

/** A program that ended unasked. */
export interface Death {
  readonly program: string
  /** Such as `exit code 1` or `signal SIGKILL`. */
  readonly how: string
  readonly lastLines: readonly string[]
}

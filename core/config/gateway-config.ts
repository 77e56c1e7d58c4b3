import { token } from '../container/token.ts'

/** One plugin to load. */
export interface PluginEntry {
  /** Name of a built-in plugin, a package name, or a path (starting with `.` or `/`, relative to the configuration file). */
  readonly use: string
  /** Passed to the plugin's schema as it stands. */
  readonly options: unknown
}

/** The whole configuration, decoded. Durations in milliseconds, sizes in bytes. */
export interface GatewayConfig {
  /** Address to listen on; empty for all interfaces. Default: loopback with the embedded provider and without basic auth. */
  readonly host: string
  /** Port of API and functions; 0 takes any free one. Default 8080. */
  readonly port: number
  /** Port of metrics and health; 0 takes any free one. Default 8082. */
  readonly metricsPort: number
  /** The provider to use; undefined starts the embedded one. Path ends in `/`. */
  readonly functionsProviderUrl: URL | undefined
  /** Source of logs; undefined is the provider. */
  readonly logsProviderUrl: URL | undefined
  /** From the first byte of a request to the last of its body. Default 60 s. */
  readonly readTimeoutMs: number
  /** From the forward to the last byte of the answer. Default 60 s; 0 is no limit. */
  readonly writeTimeoutMs: number
  /** From the forward to the last byte of the upstream's answer. Default 60 s; 0 is no limit. */
  readonly upstreamTimeoutMs: number
  /** Namespace of functions named without one; empty for none. */
  readonly functionNamespace: string
  /** Whether functions at zero are woken. Default true. */
  readonly scaleFromZero: boolean
  /** Whether `/system` and `/ui` want basic auth. Default false. */
  readonly basicAuth: boolean
  /** Folder with `basic-auth-user` and `basic-auth-password`. */
  readonly secretMountPath: string
  /** Prometheus base URL for invocation counts; undefined uses the gateway's own counters. */
  readonly prometheusUrl: URL | undefined
  /** Forward proxy for outgoing calls to `http` URLs; undefined for none. May hold credentials. */
  readonly httpProxy: URL | undefined
  /** The same for `https` URLs, through a tunnel. */
  readonly httpsProxy: URL | undefined
  /** Hosts that are called straight, separated by commas, in the forms that Go reads; empty for none but loopback. */
  readonly noProxy: string
  /** Most connections to one upstream. Default 1024. */
  readonly maxConnectionsPerUpstream: number
  /** Logs the URL of each forwarded call. */
  readonly writeRequestUri: boolean
  /** Where the gateways of a fleet coordinate, in a form that redis-url.ts reads; may hold credentials. Empty: this one is alone. */
  readonly redisUrl: string
  /** What the names of the fleet's keys and channels start with: gateways of one prefix are one fleet. Default `pilotlight`. */
  readonly redisPrefix: string
  /** Longest time for one command to Redis. Default 100 ms. */
  readonly redisTimeoutMs: number
  /** Time after which another gateway may take over a wake whose leader has gone silent. Default 1.5 s. */
  readonly leaseTtlMs: number
  /** Key that gateways share with sidecars, who sign their reports with it. */
  readonly instanceKey: string
  /** Whether the key was made up for this start, because none is configured: only what this process starts knows it. */
  readonly isInstanceKeyRandom: boolean
  /** Networks that instances may be in, in CIDR notation. Default: loopback and private networks. */
  readonly instanceNetworks: readonly string[]
  /** Time after which an instance that has gone silent is forgotten. Default 10 s. */
  readonly instanceTtlMs: number
  /** Folder with `tls.crt`, `tls.key` and `ca.crt`, by which gateways and sidecars know each other; empty for none. */
  readonly instanceTls: string
  /** Gateway processes on one port. Default 1, without a supervisor. */
  readonly workers: number
  /** Longest time a call is held for its function. Default 60 s; a function's annotation overrides it. */
  readonly holdTimeoutMs: number
  /** At shutdown: how long readiness is off while everything is still served. Default 5 s. */
  readonly quietPeriodMs: number
  /** At shutdown: how long calls in flight may take to finish. Default 30 s. */
  readonly gracePeriodMs: number
  /** Which engine forwards plain requests. Upgrades always use http-proxy. */
  readonly engine: 'h1' | 'undici' | 'http-proxy'
  /** Largest request head. Default 1 MiB. */
  readonly maxHeaderBytes: number
  /** Most header lines of a request. Default 1000. */
  readonly maxHeaderLines: number
  /** Bodies of a known length up to this are kept until the answer's head, so that an attempt can be repeated. Default 64 KiB. */
  readonly replayBodyBytes: number
  /** Whether `X-Forwarded-*` of clients are kept and appended to, or replaced. Default true: a balancer stands in front. */
  readonly trustForwarded: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly logFormat: 'text' | 'json'
  /** Longest time one plugin's setup may take. Default 10 s. */
  readonly pluginSetupTimeoutMs: number
  /** In order; the default list is in default-plugins.ts. */
  readonly plugins: readonly PluginEntry[]
  /** Folder that relative plugin paths start from. */
  readonly baseDirectory: string
  /** What the configuration asks for in vain, to be logged at start; one line each. */
  readonly notices: readonly string[]
}

/** Token of the {@link GatewayConfig}. */
export const GatewayConfig = token<GatewayConfig>('GatewayConfig')

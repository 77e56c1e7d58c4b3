import { z } from 'zod'
import { parseDuration } from './duration.ts'
import {
  baseUrl,
  duration,
  engine,
  instanceKey,
  instanceNetworksText,
  instanceTtl,
  integerText as integer,
  leaseTtl,
  logFormat,
  logLevel,
  port,
  proxyUrl,
  redisPrefix,
  redisTimeout,
  redisUrl,
  workersText,
} from './schema.ts'
import type { TextDecoder } from './text-settings.ts'

/** One variable the gateway reads. */
export type EnvironmentVariable = TextDecoder & {
  readonly name: string
  /** Another spelling, read when the first is not set or empty. */
  readonly otherName?: string
  /** For the documentation, where it is not simply the default of the setting. */
  readonly defaultText?: string
  /** For the documentation: one line. */
  readonly meaning: string
}

const trueOnly = z.string().transform((text) => text === 'true')
const lenientDuration = z.string().transform(parseDuration)
const text = z.string()

/** OpenFaaS puts a limit on idle connections only. Here it limits all, so a smaller value must not lower the default. */
const idleConnections = integer.transform((count) => (count > 1024 ? count : undefined))

/**
 * Every variable the gateway reads, in the order of the documentation. The lower-case ones mean what they mean to
 * OpenFaaS: a boolean is true only for `true`, a duration that cannot be read silently leaves the default, an integer that
 * cannot be read is a fault. For `PILOTLIGHT_*` every value that cannot be read is a fault.
 */
export const environmentVariables: readonly EnvironmentVariable[] = [
  {
    name: 'functions_provider_url',
    setting: 'functionsProviderUrl',
    decode: baseUrl,
    defaultText: 'none: the embedded provider',
    meaning: 'Base URL of the provider; a missing `/` at its end is added.',
  },
  {
    name: 'logs_provider_url',
    setting: 'logsProviderUrl',
    decode: baseUrl,
    defaultText: '`functions_provider_url`',
    meaning: 'Base URL of the source of function logs.',
  },
  {
    name: 'read_timeout',
    setting: 'readTimeout',
    decode: lenientDuration,
    meaning: 'From the first byte of a request to the last of its body.',
  },
  {
    name: 'write_timeout',
    setting: 'writeTimeout',
    decode: lenientDuration,
    meaning: 'From the forward to the last byte of the answer; `0` is no limit.',
  },
  {
    name: 'upstream_timeout',
    setting: 'upstreamTimeout',
    decode: lenientDuration,
    meaning: "From the forward to the last byte of the upstream's answer; `0` is no limit.",
  },
  {
    name: 'function_namespace',
    setting: 'functionNamespace',
    decode: text,
    defaultText: '`openfaas-fn` with the embedded provider, else empty',
    meaning: 'Namespace of functions that are named without one.',
  },
  {
    name: 'scale_from_zero',
    setting: 'scaleFromZero',
    decode: trueOnly,
    meaning: 'Whether functions at zero are woken by a call.',
  },
  {
    name: 'basic_auth',
    setting: 'basicAuth',
    decode: trueOnly,
    meaning: 'Whether `/system` and `/ui` ask for user and password.',
  },
  {
    name: 'secret_mount_path',
    setting: 'secretMountPath',
    decode: text,
    meaning: 'Folder with the files `basic-auth-user` and `basic-auth-password`.',
  },
  {
    name: 'faas_prometheus_host',
    decode: text,
    defaultText: '`prometheus`, or none with the embedded provider',
    meaning: 'Prometheus to take invocation counts from; without one the gateway uses its own counters.',
  },
  {
    name: 'faas_prometheus_port',
    decode: integer.pipe(port),
    defaultText: '`9090`',
    meaning: 'Port of that Prometheus.',
  },
  {
    name: 'max_idle_conns',
    decode: integer,
    defaultText: '`1024`',
    meaning: 'Read as OpenFaaS does, without effect: connections are limited per upstream.',
  },
  {
    name: 'max_idle_conns_per_host',
    setting: 'maxConnectionsPerUpstream',
    decode: idleConnections,
    meaning: 'Most connections to one upstream; a value below the default leaves the default.',
  },
  {
    name: 'write_request_uri',
    setting: 'writeRequestUri',
    decode: text.transform(() => true),
    defaultText: 'not set',
    meaning: 'When present with any value, the URL of each forwarded call is logged.',
  },
  {
    name: 'HTTP_PROXY',
    otherName: 'http_proxy',
    setting: 'httpProxy',
    decode: proxyUrl,
    defaultText: 'none',
    meaning: 'Forward proxy for outgoing calls to `http` URLs; also read as `http_proxy`.',
  },
  {
    name: 'HTTPS_PROXY',
    otherName: 'https_proxy',
    setting: 'httpsProxy',
    decode: proxyUrl,
    defaultText: 'none',
    meaning: 'Forward proxy for outgoing calls to `https` URLs; also read as `https_proxy`.',
  },
  {
    name: 'NO_PROXY',
    otherName: 'no_proxy',
    setting: 'noProxy',
    decode: text,
    defaultText: 'empty',
    meaning:
      'Hosts to call straight, separated by commas: `name` (and all below), `.name` (only below), an address, each with `:port` if wanted, a CIDR range, or `*` for all; also read as `no_proxy`. Loopback is always called straight.',
  },
  {
    name: 'faas_nats_address',
    decode: text,
    defaultText: 'not set',
    meaning: 'Without effect: asynchronous calls are not supported by this version; a notice is logged.',
  },
  {
    name: 'faas_nats_port',
    decode: text,
    defaultText: 'not set',
    meaning: 'See `faas_nats_address`.',
  },
  {
    name: 'PILOTLIGHT_CONFIG',
    decode: text,
    defaultText: 'none',
    meaning: 'Path of the configuration file.',
  },
  {
    name: 'PILOTLIGHT_HOST',
    setting: 'host',
    decode: text,
    defaultText: 'see meaning',
    meaning:
      'Address to listen on. Default: `127.0.0.1` with the embedded provider and without basic auth, for who reaches that can run programs here; else all interfaces.',
  },
  {
    name: 'PILOTLIGHT_PORT',
    setting: 'port',
    decode: integer.pipe(port),
    meaning: 'Port of API and functions; `0` takes any free one.',
  },
  {
    name: 'PILOTLIGHT_METRICS_PORT',
    setting: 'metricsPort',
    decode: integer.pipe(port),
    meaning: 'Port of metrics and health; `0` takes any free one.',
  },
  {
    name: 'PILOTLIGHT_REDIS_URL',
    setting: 'redisUrl',
    decode: redisUrl,
    defaultText: 'empty',
    meaning:
      'Where the gateways of a fleet coordinate: `redis://`, `redis+sentinel://` or `redis+cluster://`, with `rediss` for TLS. Empty: this gateway is alone.',
  },
  {
    name: 'PILOTLIGHT_REDIS_PREFIX',
    setting: 'redisPrefix',
    decode: redisPrefix,
    meaning: 'What the names of keys and channels start with; gateways that share it are one fleet.',
  },
  {
    name: 'PILOTLIGHT_REDIS_TIMEOUT',
    setting: 'redisTimeout',
    decode: redisTimeout,
    meaning: 'Longest time for one command to Redis, `10ms` to `10s`; after that the gateway goes on alone.',
  },
  {
    name: 'PILOTLIGHT_LEASE_TTL',
    setting: 'leaseTtl',
    decode: leaseTtl,
    meaning:
      'Time after which another gateway takes over a wake whose leader has gone silent, `200ms` to `60s`, at least twice `PILOTLIGHT_REDIS_TIMEOUT`.',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_KEY',
    setting: 'instanceKey',
    decode: instanceKey,
    defaultText: 'made up for each start',
    meaning:
      'Key that gateways share with sidecars, at least 16 characters. Without one, only instances of the embedded provider are known.',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_KEY_FILE',
    setting: 'instanceKeyFile',
    decode: text,
    defaultText: 'none',
    meaning: 'File with that key.',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_NETWORKS',
    setting: 'instanceNetworks',
    decode: instanceNetworksText,
    defaultText: 'loopback and private networks',
    meaning: 'Networks that instances may be in, in CIDR notation, separated by commas.',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_TTL',
    setting: 'instanceTtl',
    decode: instanceTtl,
    meaning: 'Time after which an instance that has gone silent is forgotten, `300ms` to `10m`.',
  },
  {
    name: 'PILOTLIGHT_INSTANCE_TLS',
    setting: 'instanceTls',
    decode: text,
    defaultText: 'none',
    meaning:
      'Folder with `tls.crt`, `tls.key` and `ca.crt`, for mutual TLS with sidecars; new files are taken up within 10 s.',
  },
  {
    name: 'PILOTLIGHT_WORKERS',
    setting: 'workers',
    decode: workersText,
    meaning: 'Gateway processes on one port, `1` to `128`; `auto`: one for each processor.',
  },
  {
    name: 'PILOTLIGHT_HOLD_TIMEOUT',
    setting: 'holdTimeout',
    decode: duration,
    meaning: 'Longest time a call is held for its function.',
  },
  {
    name: 'PILOTLIGHT_QUIET_PERIOD',
    setting: 'quietPeriod',
    decode: duration,
    meaning: 'At shutdown: how long readiness is off while everything is still served.',
  },
  {
    name: 'PILOTLIGHT_GRACE_PERIOD',
    setting: 'gracePeriod',
    decode: duration,
    meaning: 'At shutdown: how long calls in flight may take to finish.',
  },
  {
    name: 'PILOTLIGHT_ENGINE',
    setting: 'engine',
    decode: engine,
    meaning: 'What forwards plain requests: `h1` (the HTTP/1.1 client of this project), `undici` or `http-proxy`.',
  },
  {
    name: 'PILOTLIGHT_LOG_LEVEL',
    setting: 'logLevel',
    decode: logLevel,
    meaning: 'Least severe lines to write: `debug`, `info`, `warn`, `error` or `silent`.',
  },
  {
    name: 'PILOTLIGHT_LOG_FORMAT',
    setting: 'logFormat',
    decode: logFormat,
    meaning: 'Shape of log lines: `text` or `json`.',
  },
]

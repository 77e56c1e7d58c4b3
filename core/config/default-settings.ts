import { defaultInstanceNetworks } from '../instances/address-rules.ts'
import type { Settings } from './schema.ts'

/**
 * What applies when neither flags, file nor environment say anything: one gateway process with the embedded provider.
 * What depends on the provider (namespace, Prometheus, list of plugins) is decided in resolve-config.ts.
 */
export const defaultSettings = {
  host: '',
  port: 8080,
  metricsPort: 8082,
  readTimeout: 60_000,
  writeTimeout: 60_000,
  upstreamTimeout: 60_000,
  scaleFromZero: true,
  basicAuth: false,
  secretMountPath: '/run/secrets/',
  noProxy: '',
  maxConnectionsPerUpstream: 1024,
  writeRequestUri: false,
  redisUrl: '',
  redisPrefix: 'pilotlight',
  redisTimeout: 100,
  leaseTtl: 1_500,
  instanceNetworks: defaultInstanceNetworks,
  instanceTtl: 10_000,
  instanceTls: '',
  workers: 1,
  holdTimeout: 60_000,
  quietPeriod: 5_000,
  gracePeriod: 30_000,
  engine: 'h1',
  maxHeaderBytes: 1_048_576,
  maxHeaderLines: 1000,
  replayBodyBytes: 65_536,
  trustForwarded: true,
  logLevel: 'info',
  logFormat: 'text',
  pluginSetupTimeout: 10_000,
  pluginOptions: {},
} as const satisfies Settings

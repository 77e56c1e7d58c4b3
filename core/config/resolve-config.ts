import type { ConfigFault } from './config-fault.ts'
import { defaultSettings } from './default-settings.ts'
import type { GatewayConfig } from './gateway-config.ts'
import { resolveInstanceKey } from './instance-key.ts'
import { resolvePlugins } from './resolve-plugins.ts'
import { redisFaults } from './redis-faults.ts'
import type { Settings } from './schema.ts'

/** Where OpenFaaS looks for Prometheus when it is told nothing. */
const defaultPrometheusUrl = 'http://prometheus:9090/'

/** Where the embedded provider keeps functions that are named without a namespace. */
const embeddedNamespace = 'openfaas-fn'

/** A whole configuration, and what is wrong with the combination of its settings. */
export interface ResolvedConfig {
  readonly config: Omit<GatewayConfig, 'notices' | 'baseDirectory'>
  readonly faults: readonly ConfigFault[]
}

/** Lays `layers` over the defaults, later ones over earlier ones, and decides what depends on the whole. */
export function resolveConfig(layers: readonly Settings[]): ResolvedConfig {
  const given: Settings = Object.assign({}, ...layers)
  const merged = { ...defaultSettings, ...given }
  const providerUrl = merged.functionsProviderUrl
  const { plugins, faults } = resolvePlugins({ ...merged, embeddedProvider: providerUrl === undefined })
  const instanceKey = resolveInstanceKey(merged)
  const config = {
    host: merged.host || defaultHost(merged),
    port: merged.port,
    metricsPort: merged.metricsPort,
    functionsProviderUrl: providerUrl,
    logsProviderUrl: merged.logsProviderUrl,
    readTimeoutMs: merged.readTimeout,
    writeTimeoutMs: merged.writeTimeout,
    upstreamTimeoutMs: merged.upstreamTimeout,
    functionNamespace: merged.functionNamespace ?? (providerUrl === undefined ? embeddedNamespace : ''),
    scaleFromZero: merged.scaleFromZero,
    basicAuth: merged.basicAuth,
    secretMountPath: merged.secretMountPath,
    prometheusUrl: prometheusUrl(merged),
    httpProxy: merged.httpProxy,
    httpsProxy: merged.httpsProxy,
    noProxy: merged.noProxy,
    maxConnectionsPerUpstream: merged.maxConnectionsPerUpstream,
    writeRequestUri: merged.writeRequestUri,
    redisUrl: merged.redisUrl,
    redisPrefix: merged.redisPrefix,
    redisTimeoutMs: merged.redisTimeout,
    leaseTtlMs: merged.leaseTtl,
    instanceKey: instanceKey.key,
    isInstanceKeyRandom: instanceKey.isRandom,
    instanceNetworks: merged.instanceNetworks,
    instanceTtlMs: merged.instanceTtl,
    instanceTls: merged.instanceTls,
    workers: merged.workers,
    holdTimeoutMs: merged.holdTimeout,
    quietPeriodMs: merged.quietPeriod,
    gracePeriodMs: merged.gracePeriod,
    engine: merged.engine,
    maxHeaderBytes: merged.maxHeaderBytes,
    maxHeaderLines: merged.maxHeaderLines,
    replayBodyBytes: merged.replayBodyBytes,
    trustForwarded: merged.trustForwarded,
    logLevel: merged.logLevel,
    logFormat: merged.logFormat,
    pluginSetupTimeoutMs: merged.pluginSetupTimeout,
    plugins,
  }
  return { config, faults: [...faults, ...redisFaults(config), ...instanceKey.faults] }
}

/**
 * Who reaches the embedded provider's API can run programs on this machine: without credentials, only the machine itself shall.
 * Elsewhere the empty text stands for all interfaces.
 */
function defaultHost({ functionsProviderUrl, basicAuth }: Settings): string {
  return functionsProviderUrl === undefined && basicAuth !== true ? '127.0.0.1' : ''
}

/** `null` says that there is none; absence is OpenFaaS's default, but only beside a provider of somebody else. */
function prometheusUrl(merged: Settings): URL | undefined {
  if (merged.prometheusUrl !== undefined) return merged.prometheusUrl ?? undefined
  return merged.functionsProviderUrl === undefined ? undefined : new URL(defaultPrometheusUrl)
}

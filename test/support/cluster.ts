import { parse } from 'yaml'
import { Cluster } from '../../deploy/cluster/cluster.ts'
import type { ClusterOptions } from '../../deploy/cluster/cluster-options.ts'
import { toolPath } from './debian-tools.ts'
import { quickOptions } from './gateway-before.ts'
import type { ScriptedProvider } from './scripted-provider.ts'

/** What takes seconds in production takes a fraction of one. */
const quickEnv = { PILOTLIGHT_LOG_FORMAT: 'json', PILOTLIGHT_QUIET_PERIOD: '600ms', PILOTLIGHT_GRACE_PERIOD: '5s' }

/**
 * Starts gateways with the options of `gateway-before.ts`, a Redis and a balancer, before a scripted provider if there is one,
 * else with the local provider as a process of its own.
 */
export function startCluster(provider?: ScriptedProvider, options: ClusterOptions = {}): Promise<Cluster> {
  for (const program of [toolPath('redis-server'), toolPath('haproxy')])
    if (program === '') throw new Error('no program')
  return Cluster.start({
    balancer: 'haproxy',
    ...(provider === undefined ? {} : { provider: provider.url }),
    pluginOptions: quickPluginOptions(),
    ...options,
    env: { ...quickEnv, function_namespace: '', ...options.env },
  })
}

/** The plugins' part of {@link quickOptions}. */
export function quickPluginOptions(): Readonly<Record<string, unknown>> {
  return (parse(quickOptions) as { pluginOptions: Record<string, unknown> }).pluginOptions // as that file has it
}

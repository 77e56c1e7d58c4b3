import type { Cluster } from './cluster.ts'
import { managementUser } from './run-folder.ts'

/** Says where to look, what to try and how to stop. */
export function describeCluster(cluster: Cluster): string {
  const { url, balancer, gateways, provider, redis, folder } = cluster
  const account = cluster.authorization === undefined ? '' : `-u ${managementUser}:${folder.password} `
  const rows = [
    [`balancer (${balancer.name})`, url],
    ...gateways.map((one) => [one.name, `${one.url}   metrics ${one.metricsUrl}/metrics   pid ${one.pid}`]),
    ['provider', provider?.url ?? ''],
    ['redis', redis?.url ?? 'none: each gateway wakes functions by itself'],
    ['logs', `${folder.path}/logs`],
  ]
  return [
    '',
    'The cluster is up.',
    '',
    ...rows.map(([name = '', text = '']) => `  ${name.padEnd(20)} ${text}`),
    '',
    'Try:',
    '',
    `  curl ${url}/function/hello                    # wakes it: one of the gateways does, the others are told`,
    ...gateways.slice(0, 2).map((one) => `  curl ${one.url}/function/hello`),
    `  curl ${account}-X POST ${url}/system/scale-function/hello -d '{"serviceName": "hello", "replicas": 0}'`,
    ...(redis === undefined ? [] : [`  redis-cli -u ${redis.url} monitor`]),
    `  kill -9 ${gateways[0]?.pid}                                  # a gateway is lost: the others take its traffic`,
    '',
    'Ctrl-C stops all of it.',
    '',
  ].join('\n')
}

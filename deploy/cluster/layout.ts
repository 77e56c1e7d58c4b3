import type { ClusterOptions } from './cluster-options.ts'
import { findProgram, MissingPrograms } from './find-program.ts'
import { FreePorts, isFree } from './free-ports.ts'
import type { ProgramSpec } from './program.ts'
import { RunFolder } from './run-folder.ts'
import { balancerHere, balancerSpec, gatewaySpec, providerSpec, redisSpec, type SpecContext } from './specs.ts'

/** Everything that a cluster will run, before it runs: ports are chosen, files written. */
export interface Layout {
  readonly folder: RunFolder
  readonly balancer: ProgramSpec
  readonly gateways: readonly (ProgramSpec & { readonly metricsUrl: string })[]
  /** Absent when a provider runs already. */
  readonly provider: ProgramSpec | undefined
  /** Absent when none is wanted or one runs already. */
  readonly redis: ProgramSpec | undefined
}

const defaultGateways = 3

/**
 * Plans a cluster.
 * @throws MissingPrograms, Error when the balancer's port is taken
 */
export async function layOut(options: ClusterOptions): Promise<Layout> {
  requirePrograms(options)
  const ports = new FreePorts()
  const balancerPort = await portOf(options, ports)
  const folder = new RunFolder()
  try {
    return await plan(options, { folder, ports, balancerPort })
  } catch (error) {
    folder.remove()
    throw error
  }
}

interface Ground {
  readonly folder: RunFolder
  readonly ports: FreePorts
  readonly balancerPort: number
}

async function plan(options: ClusterOptions, { folder, ports, balancerPort }: Ground): Promise<Layout> {
  const { gateways: count = defaultGateways, provider: providerUrl = 'local', pluginOptions = {} } = options
  const context: SpecContext = { folder, env: environment(options) }
  const secrets = options.basicAuth === true ? folder.writeSecrets() : undefined
  const instanceKeyFile = folder.writeInstanceKey()
  const addresses = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      number: i + 1,
      name: `gateway-${i + 1}`,
      port: await ports.take(),
      metricsPort: await ports.take(),
    })),
  )
  const redis = (options.redis ?? 'start') === 'start' ? redisSpec(context, await ports.take()) : undefined
  const provider =
    providerUrl === 'local'
      ? providerSpec(context, {
          port: await ports.take(),
          announceTo: addresses.map(({ port }) => `http://127.0.0.1:${port}/`),
          instanceKeyFile,
          secrets,
          options: options.providerOptions ?? {},
        })
      : undefined
  const gateways = addresses.map(({ number, ...address }) => ({
    ...gatewaySpec(context, {
      ...address,
      providerUrl: provider?.url ?? providerUrl,
      redisUrl: redis?.url ?? redisUrlOf(options, number),
      instanceKeyFile,
      secrets,
      pluginOptions,
      env: options.envOf?.(number) ?? {},
    }),
    metricsUrl: `http://127.0.0.1:${address.metricsPort}`,
  }))
  const balancer = balancerSpec(context, { port: balancerPort, gateways: addresses }, options.balancer)
  return { folder, balancer, gateways, provider, redis }
}

function requirePrograms({ redis = 'start', balancer }: ClusterOptions): void {
  const needed = [...(redis === 'start' ? ['redis-server'] : []), balancer ?? balancerHere()]
  const missing = needed.filter((name) => findProgram(name) === undefined)
  if (missing.length > 0) throw new MissingPrograms(missing)
}

async function portOf({ port = 0 }: ClusterOptions, ports: FreePorts): Promise<number> {
  if (port === 0) return ports.take()
  if (await isFree(port)) return port
  throw new Error(`port ${port} is taken: name another one, or 0 for any free one`)
}

function redisUrlOf({ redis }: ClusterOptions, gateway: number): string {
  return typeof redis === 'function' ? redis(gateway) : ''
}

function environment({ env = {} }: ClusterOptions): Readonly<Record<string, string>> {
  const given = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(given) }
}

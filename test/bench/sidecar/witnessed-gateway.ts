import { fileURLToPath } from 'node:url'
import { defaultPluginNames } from '../../../core/config/default-plugins.ts'
import { eventually } from '../../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { metricValue } from '../../support/metrics-page.ts'
import { onAnyCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'
import { instanceKey } from './instance-key.ts'

const witness = fileURLToPath(new URL('witness-plugin.ts', import.meta.url))
/** Time for a gateway to join the others. */
const patienceMs = 10_000

/** What a witnessed gateway is started with. */
export interface WitnessedOptions {
  readonly embeddedProvider: boolean
  readonly env: Readonly<Record<string, string>>
  /** Flags of Node besides those of `npm start`. */
  readonly nodeFlags?: readonly string[]
  /** Options of plugins, by name. */
  readonly pluginOptions?: Readonly<Record<string, unknown>>
}

/** Starts a gateway with all default plugins and witness-plugin.ts; with a Redis, resolves when it has joined the others. */
export async function startWitnessedGateway(options: WitnessedOptions): Promise<GatewayProcess> {
  const { embeddedProvider, env, nodeFlags = [], pluginOptions = {} } = options
  const plugins = [...defaultPluginNames({ embeddedProvider, scaleFromZero: true }), { use: witness }]
  const gateway = await startGatewayProcess({
    env: { PILOTLIGHT_INSTANCE_KEY: instanceKey, ...env },
    launcher: onAnyCpu,
    nodeFlags: [...startFlags, ...nodeFlags],
    // JSON is YAML.
    config: JSON.stringify({ plugins, pluginOptions }),
  })
  if (env['PILOTLIGHT_REDIS_URL'] === undefined) return gateway
  const isTogether = async (): Promise<boolean> =>
    metricValue(await gateway.metrics(), 'pilotlight_coordination_degraded') === 0
  await eventually('a gateway to join the others', isTogether, patienceMs)
  return gateway
}

import { eventually } from '../../support/eventually.ts'
import { startGatewayProcess } from '../../support/gateway-process.ts'
import { BenchProcess } from '../bench-process.ts'
import { onContenderCpu, onLoadCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'
import { instanceKey } from './instance-key.ts'
import { callsThrough } from './sidecar-counts.ts'
import { SidecarProcess } from './sidecar-process.ts'

/** The ways of a call to the function, from the shortest. */
export const hopNames = ['direct', 'sidecar', 'gateway', 'gateway + sidecar'] as const

/** Where a call enters a way. */
export interface Hop {
  readonly name: (typeof hopNames)[number]
  readonly url: string
}

/** The function calls of a gateway that knows a sidecar go there once it has been told. */
const patienceMs = 10_000

/** One function with all ways to it: gateways and sidecars on the CPU of the contenders, function and load on the other one. */
export class Hops implements AsyncDisposable {
  readonly all: readonly Hop[]
  readonly #behindGateway: SidecarProcess
  readonly #opened: AsyncDisposableStack

  private constructor(all: readonly Hop[], behindGateway: SidecarProcess, opened: AsyncDisposableStack) {
    this.all = all
    this.#behindGateway = behindGateway
    this.#opened = opened
  }

  /** @param delayMs after which the function answers. @throws Error when the gateway does not call the sidecar */
  static async start(delayMs: number): Promise<Hops> {
    await using opened = new AsyncDisposableStack()
    const env = { DELAY_MS: String(delayMs) }
    const direct = opened.use(await BenchProcess.start('sidecar/delayed-function.ts', onLoadCpu, { env }))
    const gateway = opened.use(await startGateway(direct.url))
    const gatewayOfSidecar = opened.use(await startGateway(direct.url))
    const alone = opened.use(await startSidecar(direct.url, []))
    const behindGateway = opened.use(await startSidecar(direct.url, [gatewayOfSidecar.url]))
    const urls = {
      direct: direct.url,
      sidecar: alone.url,
      gateway: gateway.url,
      'gateway + sidecar': gatewayOfSidecar.url,
    }
    const all = hopNames.map((name): Hop => ({ name, url: urls[name] }))
    const hops = new Hops(all, behindGateway, opened.move())
    await eventually('the gateway to call the sidecar', () => hops.#isRouted(gatewayOfSidecar.url), patienceMs)
    return hops
  }

  /** Calls that reached the function by way of gateway and sidecar so far. */
  async routed(): Promise<number> {
    return callsThrough(await this.#behindGateway.metrics())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync()
  }

  async #isRouted(url: string): Promise<boolean> {
    const answer = await fetch(`${url}/function/echo`, { headers: { connection: 'close' } })
    await answer.arrayBuffer()
    return (await this.routed()) > 0
  }
}

function startGateway(providerUrl: string): ReturnType<typeof startGatewayProcess> {
  return startGatewayProcess({
    env: { functions_provider_url: providerUrl, PILOTLIGHT_INSTANCE_KEY: instanceKey },
    launcher: onContenderCpu,
    nodeFlags: startFlags,
  })
}

async function startSidecar(upstreamUrl: string, gateways: readonly string[]): Promise<SidecarProcess> {
  const sidecar = await SidecarProcess.start({ upstreamUrl, gateways, launcher: onContenderCpu })
  await sidecar.ready()
  return sidecar
}

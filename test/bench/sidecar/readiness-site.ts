import { pause } from '../../support/eventually.ts'
import type { GatewayProcess } from '../../support/gateway-process.ts'
import { BareCallers } from '../bare-callers.ts'
import { ColdProviderProcess } from '../cold-provider-process.ts'
import { ports } from './ports.ts'
import type { RoundStamps } from './readiness-steps.ts'
import { ScriptedFunctionProcess } from './scripted-function-process.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { stampsOf, stampsOfText } from './stamps.ts'
import { startWitnessedGateway } from './witnessed-gateway.ts'

/** One cold start. */
export interface ReadinessRound {
  readonly name: string
  /** Number of the gateway that the sidecar reports to; undefined for all of them. */
  readonly toldFirst: number | undefined
  /** From the first call until the function accepts, milliseconds. */
  readonly acceptAfterMs: number
}

/** What one cold start showed. */
export interface ReadinessResult {
  readonly stamps: RoundStamps
  /** Calls that were not answered by the function. */
  readonly failures: number
}

/** Longer than a round: the provider is not to say that the function is ready, so that only its sidecar does. */
const neverMs = 3_600_000
const sidecarWitness = new URL('sidecar-witness.ts', import.meta.url).href

/** Gateways that share a Redis, a provider that scales and never says "ready", a function, and callers. */
export class ReadinessSite implements AsyncDisposable {
  readonly #gateways: readonly GatewayProcess[]
  readonly #provider: ColdProviderProcess
  readonly #called: ScriptedFunctionProcess
  readonly #callers: BareCallers
  readonly #opened: AsyncDisposableStack

  private constructor(parts: Parts, opened: AsyncDisposableStack) {
    this.#gateways = parts.gateways
    this.#provider = parts.provider
    this.#called = parts.called
    this.#callers = parts.callers
    this.#opened = opened
  }

  /** @param callers for each gateway */
  static async start({ gateways: size, callers, redisUrl }: SiteOptions): Promise<ReadinessSite> {
    await using opened = new AsyncDisposableStack()
    const provider = opened.use(await ColdProviderProcess.start())
    const called = opened.use(await ScriptedFunctionProcess.start())
    const env = { functions_provider_url: provider.url, PILOTLIGHT_REDIS_URL: redisUrl }
    const gateways: GatewayProcess[] = []
    for (let i = 0; i < size; i += 1) {
      gateways.push(opened.use(await startWitnessedGateway({ embeddedProvider: false, env })))
    }
    const urls = gateways.map(({ url }) => url)
    const parts = { gateways, provider, called, callers: opened.use(new BareCallers(urls, size * callers)) }
    return new ReadinessSite(parts, opened.move())
  }

  /** `host:port` of each gateway, in the order of their numbers. */
  get hosts(): readonly string[] {
    return this.#gateways.map(({ url }) => new URL(url).host)
  }

  /** Has all callers call a new function at zero; it accepts when they have waited for a while. */
  async round({ name, toldFirst, acceptAfterMs }: ReadinessRound): Promise<ReadinessResult> {
    const port = await ports.take()
    const urls = this.#gateways.map(({ url }) => url)
    await this.#provider.add({ name, replicas: 0, readyAfterMs: neverMs })
    await this.#callers.connect()
    const answers = this.#callers.call((caller) => `/function/${name}/g${caller % urls.length}`)
    await using sidecar = await SidecarProcess.start({
      upstreamUrl: `http://127.0.0.1:${port}`,
      gateways: toldFirst === undefined ? urls : urls.slice(toldFirst, toldFirst + 1),
      name,
      nodeFlags: ['--import', sidecarWitness],
    })
    await pause(acceptAfterMs)
    await this.#called.listen(port)
    const failures = (await answers).filter((one) => !one.isWhole).length
    const seen = await this.#called.seen()
    // Lines of the processes may be on their way still; nothing depends on them any more.
    await pause(linesMs)
    const gateways = this.#gateways.map(({ logs }) => stampsOf(logs).filter(({ subject }) => subject === name))
    for (const gateway of this.#gateways) gateway.logs.length = 0
    const stamps = { seen, sidecar: stampsOfText(sidecar.lines), gateways, toldFirst }
    await sidecar.terminate()
    await this.#called.close()
    await this.#provider.remove(name)
    return { stamps, failures }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync()
  }
}

const linesMs = 20

/** How large a site is. */
export interface SiteOptions {
  readonly gateways: number
  /** For each gateway. */
  readonly callers: number
  readonly redisUrl: string
}

interface Parts {
  readonly gateways: readonly GatewayProcess[]
  readonly provider: ColdProviderProcess
  readonly called: ScriptedFunctionProcess
  readonly callers: BareCallers
}

import { eventually } from '../../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { metricValue } from '../../support/metrics-page.ts'
import { onAnyCpu } from '../pinning.ts'
import { cpuMs, residentMb } from '../process-usage.ts'
import { startFlags } from '../start-flags.ts'

/** How to start gateways. */
export interface FleetOptions {
  readonly size: number
  readonly providerUrl: string
  /** What they share; empty leaves each of them alone. */
  readonly redisUrl: string
  /** Words before each gateway's command; see pinning.ts. */
  readonly launcher?: readonly string[]
}

/** Time for a gateway to join the others. */
const patienceMs = 10_000

/** Gateways in front of one provider, as `npm start` runs them. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions
  readonly #gateways: GatewayProcess[]

  private constructor(options: FleetOptions, gateways: GatewayProcess[]) {
    this.#options = options
    this.#gateways = gateways
  }

  /** Resolves when all listen and, with a Redis, decide together. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const gateways = await Promise.all(Array.from({ length: options.size }, () => startGateway(options)))
    return new Fleet(options, gateways)
  }

  get size(): number {
    return this.#gateways.length
  }

  get urls(): readonly string[] {
    return this.#gateways.map(({ url }) => url)
  }

  /** CPU time that all of them used so far, milliseconds. */
  cpuMs(): number {
    return sum(this.#gateways.map(({ pid }) => cpuMs(pid)))
  }

  /** Resident memory of all of them, megabytes. */
  residentMb(): number {
    return sum(this.#gateways.map(({ pid }) => residentMb(pid)))
  }

  /** Sum of a counter over all series that `isWanted` takes, of all gateways that run. */
  async total(counter: string, isWanted: (series: string) => boolean = () => true): Promise<number> {
    const pages = await Promise.all(this.#gateways.filter((one) => one.isRunning).map((one) => one.metrics()))
    const lines = pages.flatMap((page) => page.split('\n')).filter((line) => isSeriesOf(line, counter))
    return sum(lines.filter(isWanted).map((line) => Number(line.slice(line.lastIndexOf(' ') + 1))))
  }

  /** Kills one as `kill -9` does; resolves when it is gone. */
  async kill(index: number): Promise<void> {
    const gateway = this.#at(index)
    gateway.signal('SIGKILL')
    await gateway.exited
  }

  /** Starts another one in the place of one that was killed; it listens on another port. */
  async replace(index: number): Promise<void> {
    this.#gateways[index] = await startGateway(this.#options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#gateways.map((one) => one[Symbol.asyncDispose]()))
  }

  #at(index: number): GatewayProcess {
    const gateway = this.#gateways[index]
    if (gateway === undefined) throw new Error(`there is no gateway ${index}`)
    return gateway
  }
}

async function startGateway({ providerUrl, redisUrl, launcher = onAnyCpu }: FleetOptions): Promise<GatewayProcess> {
  const gateway = await startGatewayProcess({
    env: { functions_provider_url: providerUrl, PILOTLIGHT_REDIS_URL: redisUrl },
    launcher,
    nodeFlags: startFlags,
  })
  const isTogether = async (): Promise<boolean> =>
    metricValue(await gateway.metrics(), 'pilotlight_coordination_degraded') === 0
  if (redisUrl !== '') await eventually('a gateway to join the others', isTogether, patienceMs)
  return gateway
}

function isSeriesOf(line: string, name: string): boolean {
  return line.startsWith(`${name}{`) || line.startsWith(`${name} `)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0)
}

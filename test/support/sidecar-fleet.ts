import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from './callers.ts'
import { eventually } from './eventually.ts'
import { startGatewayBefore } from './gateway-before.ts'
import type { GatewayProcess } from './gateway-process.ts'
import { instanceTestKey } from './instance-double.ts'
import { recordedFunction, RecordedInstance } from './recorded-instance.ts'
import { type RedisServer, startRedis } from './redis-servers.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SidecarProcess } from './sidecar-process.ts'

/** An instance as a gateway lists it. */
export interface ListedInstance {
  readonly id: string
  readonly phase: string
  readonly origin: string
  readonly load: { readonly inFlight: number; readonly streams: number; readonly idleForMs: number }
  readonly gateway: { readonly inFlight: number; readonly ejected: boolean }
}

/** What a story decides about its gateways. */
export interface SidecarFleetOptions {
  readonly gateways?: number
  /** Added to the variables of every gateway. */
  readonly env?: Readonly<Record<string, string>>
}

/** What a story decides about an instance. */
export interface FleetInstanceOptions {
  readonly limit?: number
  /** Milliseconds for which the function works on a call. Default 2. */
  readonly workMs?: number
  /** Default: all of the fleet. */
  readonly reportsTo?: readonly GatewayProcess[]
  readonly env?: Readonly<Record<string, string>>
}

/** Time for processes to start, and for leases to end, on a busy machine. */
const patienceMs = 15_000

/** Gateways that share a Redis, and instances of one function `echo` behind sidecars: everything a process of its own. */
export class SidecarFleet implements AsyncDisposable {
  readonly name = 'echo'
  readonly gateways: GatewayProcess[] = []
  readonly provider: ScriptedProvider
  readonly redis: RedisServer
  readonly #env: Readonly<Record<string, string>>
  readonly #instances: (RecordedInstance | SidecarProcess)[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'pilotlight-fleet-'))
  #made = 0

  private constructor(provider: ScriptedProvider, redis: RedisServer, env: Readonly<Record<string, string>>) {
    this.provider = provider
    this.redis = redis
    this.#env = env
  }

  static async start({ gateways = 2, env = {} }: SidecarFleetOptions = {}): Promise<SidecarFleet> {
    const [provider, redis] = await Promise.all([ScriptedProvider.start({ name: 'echo' }), startRedis()])
    const fleet = new SidecarFleet(provider, redis, env)
    try {
      await Promise.all(Array.from({ length: gateways }, () => fleet.addGateway()))
    } catch (error) {
      await fleet[Symbol.asyncDispose]()
      throw error
    }
    return fleet
  }

  /** Where calls of the function go, one URL for each gateway. */
  get urls(): readonly string[] {
    return this.gateways.map(({ url }) => `${url}/function/${this.name}`)
  }

  /** A gateway by its number, from 1. */
  gateway(number: number): GatewayProcess {
    const found = this.gateways[number - 1]
    if (found === undefined) throw new Error(`there is no gateway ${number}`)
    return found
  }

  async addGateway(): Promise<GatewayProcess> {
    const env = { PILOTLIGHT_INSTANCE_KEY: instanceTestKey, PILOTLIGHT_REDIS_URL: this.redis.url, ...this.#env }
    const gateway = await startGatewayBefore(this.provider, { env })
    this.gateways.push(gateway)
    return gateway
  }

  /** Starts a sidecar that runs the function which records its calls. */
  async startInstance({ workMs = 2, env = {}, ...options }: FleetInstanceOptions = {}): Promise<RecordedInstance> {
    const id = this.#nextId()
    const file = join(this.#folder, id)
    const variables = { ...recordedFunction(file, workMs), ...env }
    const instance = new RecordedInstance(id, await this.#startSidecar(id, '', { ...options, env: variables }), file)
    this.#instances.push(instance)
    return instance
  }

  /** Starts a sidecar in front of a function that runs already. */
  async front(
    upstreamUrl: string,
    options: Omit<FleetInstanceOptions, 'workMs'> = {},
  ): Promise<{ readonly id: string; readonly sidecar: SidecarProcess }> {
    const id = this.#nextId()
    const sidecar = await this.#startSidecar(id, upstreamUrl, options)
    this.#instances.push(sidecar)
    return { id, sidecar }
  }

  /** What a gateway says that it knows. */
  async listed(gateway: GatewayProcess): Promise<readonly ListedInstance[]> {
    const { body } = await call(`${gateway.url}/system/instances?name=${this.name}`)
    return JSON.parse(body) as ListedInstance[] // as the route has it
  }

  /** Resolves when each of these gateways knows exactly these instances as ready. */
  areReady(ids: readonly string[], gateways?: readonly GatewayProcess[]): Promise<void> {
    const wanted = String(ids.toSorted())
    return this.sees(`${wanted} ready`, (listed) => String(readyIds(listed)) === wanted, gateways)
  }

  /** Resolves when each of these gateways has seen instances as wanted. */
  async sees(
    what: string,
    isWanted: (listed: readonly ListedInstance[]) => boolean,
    gateways: readonly GatewayProcess[] = this.gateways,
  ): Promise<void> {
    const sees = async (gateway: GatewayProcess): Promise<boolean> => isWanted(await this.listed(gateway))
    try {
      await Promise.all(gateways.map((one) => eventually(`${one.url} to see ${what}`, () => sees(one), patienceMs)))
    } catch (error) {
      throw new Error(`a gateway does not see ${what}; sidecars say:\n${this.#outputs()}`, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#instances) await one[Symbol.asyncDispose]()
    for (const one of this.gateways) one.signal('SIGCONT')
    const ends = await Promise.allSettled(this.gateways.map((one) => one[Symbol.asyncDispose]()))
    await this.provider[Symbol.asyncDispose]()
    await this.redis[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #outputs(): string {
    return this.#instances.map((one) => ('sidecar' in one ? one.sidecar.output : one.output)).join('\n')
  }

  #nextId(): string {
    this.#made += 1
    return `${this.name}-${this.#made}`
  }

  #startSidecar(
    id: string,
    upstreamUrl: string,
    { limit = 0, reportsTo = this.gateways, env = {} }: FleetInstanceOptions,
  ): Promise<SidecarProcess> {
    return SidecarProcess.start({
      name: this.name,
      gateways: reportsTo.map(({ url }) => url),
      upstreamUrl,
      limit,
      env: { PILOTLIGHT_INSTANCE_ID: id, ...env },
    })
  }
}

/** Ids of those that take calls, in order. */
function readyIds(listed: readonly ListedInstance[]): readonly string[] {
  return listed
    .filter(({ phase }) => phase === 'ready')
    .map(({ id }) => id)
    .toSorted()
}

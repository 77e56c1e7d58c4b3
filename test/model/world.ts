import { functionIdentity, type FunctionIdentity } from '#core'
import type { RecordSurroundings } from '../../core/coordination/local-store/local-records.ts'
import { SimulatedServer } from '../support/simulated-store-server.ts'
import { leader, troubledMs, type Happening, type Plan, type ProviderTrouble } from './plan.ts'
import { modelTimes, SimulatedGateway, type ModelCall, type Surroundings, type Variant } from './simulated-gateway.ts'
import { SimulatedProvider } from './simulated-provider.ts'
import { ProcessClock, seededRandom, SimulatedTime } from './simulated-time.ts'
import { WatchedRecords } from './watched-records.ts'

/** Parts of a model that a test may replace by broken ones. */
export interface WorldVariant extends Variant {
  readonly records?: (around: RecordSurroundings, nowMs: () => number) => WatchedRecords
  readonly provider?: (...parts: ConstructorParameters<typeof SimulatedProvider>) => SimulatedProvider
}

/** Functions of every model. */
export const functions = [functionIdentity('one', 'fn'), functionIdentity('two', 'fn')] as const

/** Within this time after the last fault every call of a function that can start has ended: slow poll, lease, and a wake. */
export const calmMs = 12_000
/** Within this time all gateways know again what the store knows: they read it through once a minute. */
const syncedMs = 62_000

/** A fleet, its store and its provider, which live through a plan. */
export class World {
  readonly time: SimulatedTime
  readonly records: WatchedRecords
  readonly server: SimulatedServer
  readonly provider: SimulatedProvider
  /** All that ever ran. */
  readonly gateways: SimulatedGateway[] = []
  /** Instant of the last fault. */
  calmFromMs = 0
  /** Calls made when all was over. */
  lastCalls: readonly ModelCall[] = []
  readonly #plan: Plan
  readonly #around: Surroundings
  readonly #serving: SimulatedGateway[] = []
  /** Ends of troubles that last. */
  readonly #ends = new Set<() => void>()

  constructor(plan: Plan, variant: WorldVariant = {}) {
    this.#plan = plan
    this.time = new SimulatedTime(seededRandom(plan.seed))
    const { time } = this
    this.provider = variant.provider?.(time, functions) ?? new SimulatedProvider(time, functions)
    Object.assign(this.provider.mood, { mostDelayMs: plan.mostDelayMs, mostReadyMs: plan.mostReadyMs })
    const createRecords = (around: RecordSurroundings): WatchedRecords =>
      variant.records?.(around, () => time.nowMs) ?? new WatchedRecords(around, () => time.nowMs)
    this.server = new SimulatedServer({ clock: new ProcessClock(time), createRecords })
    this.records = this.server.records as WatchedRecords // made above
    this.#around = { time, server: this.server, provider: this.provider, variant }
    for (const index of plan.skewsMs.keys()) this.#launch(index)
    this.provider.onReady = (identity) => {
      if (plan.isAnnounced) void this.#running()[0]?.fleet.shared.announceReady(identity)
    }
  }

  /** Runs the plan, and lets things calm down until every gateway has had the time to learn what it has missed. */
  async live(): Promise<void> {
    const { time } = this
    await time.run(time.nowMs + 3_000)
    const fromMs = time.nowMs
    for (const one of this.#plan.happenings) time.at(fromMs + one.atMs, () => this.#happen(one))
    await time.run(fromMs + troubledMs)
    this.#calmDown()
    await time.run(this.calmFromMs + calmMs)
    await time.run(this.calmFromMs + calmMs + syncedMs)
  }

  /** Calls every function at every gateway. */
  async callOnceMore(): Promise<void> {
    const { time } = this
    this.lastCalls = this.#running().flatMap((gateway) => functions.map((identity) => gateway.call(identity)))
    await time.run(time.nowMs + calmMs)
  }

  /** Stops everything at once. */
  end(): void {
    for (const gateway of this.gateways) gateway.kill()
  }

  #running(): SimulatedGateway[] {
    return this.#serving.filter((gateway) => gateway.isRunning)
  }

  #launch(index: number): void {
    const name = `gateway-${index}.${this.gateways.length}`
    const gateway = new SimulatedGateway(this.#around, { name, skewMs: this.#plan.skewsMs[index] ?? 0 })
    this.#connect(gateway)
    this.gateways.push(gateway)
    this.#serving[index] = gateway
    gateway.start()
  }

  /** An ordinary network. */
  #connect({ store }: SimulatedGateway): void {
    const delayMs = (): number => this.time.between(0, this.#plan.mostDelayMs)
    Object.assign(store.connection, {
      requestDelayMs: delayMs,
      replyDelayMs: delayMs,
      messageDelayMs: delayMs,
      subscribeDelayMs: () => this.time.between(1, 50),
      fate: () => 'served',
      losesMessage: () => false,
    })
  }

  #happen(one: Happening): void {
    if ('fn' in one) this.#happenToFunction(one)
    else if (one.kind === 'gateway') this.#trouble(one)
    else if (one.kind === 'provider') this.#annoyProvider(one.mood, one.forMs)
    else if (one.kind === 'flush') this.server.flush()
    else this.#losesServer(one)
  }

  #happenToFunction(one: Extract<Happening, { fn: number }>): void {
    const identity = identityOf(one.fn)
    const { key } = identity
    switch (one.kind) {
      case 'call':
        this.#call(identity, one)
        return
      case 'announce':
        void this.#someRunning(one.gateway)?.fleet.shared.announceReady(identity)
        return
      case 'scale to zero':
        this.provider.scaleToZero(key)
        return
      case 'idle':
        if (this.provider.isReady(key)) this.provider.scaleToZero(key)
        return
      case 'redeploy':
        this.provider.deploy(key, false)
        this.#later(one.forMs, () => this.provider.deploy(key, true))
    }
  }

  #call(identity: FunctionIdentity, { gateway, leavesAfterMs }: Extract<Happening, { kind: 'call' }>): void {
    const call = this.#someRunning(gateway)?.call(identity)
    if (call !== undefined && leavesAfterMs !== undefined) this.#later(leavesAfterMs, () => call.leave())
  }

  #someRunning(number: number): SimulatedGateway | undefined {
    const running = this.#running()
    return running[number % running.length]
  }

  #trouble(one: Extract<Happening, { kind: 'gateway' }>): void {
    const index = one.gateway === leader ? this.#leader() : one.gateway % this.#plan.skewsMs.length
    const gateway = this.#serving[index]
    if (gateway?.isRunning !== true) return
    switch (one.trouble) {
      case 'pause':
        gateway.pause()
        this.#later(one.forMs, () => gateway.resume())
        return
      case 'kill':
        gateway.kill()
        this.#later(one.forMs, () => this.#launch(index))
        return
      case 'break connection':
        gateway.store.breakConnection()
        return
      case 'interrupt subscription':
        gateway.store.interruptSubscription()
        this.#later(one.forMs, () => gateway.store.resubscribe())
        return
      case 'lossy store':
        this.#loseSome(gateway)
        break
      case 'slow store':
        this.#slowDown(gateway)
    }
    this.#later(one.forMs, () => this.#connect(gateway))
  }

  /** Index of the gateway with the last lease. */
  #leader(): number {
    const origin = this.records.grants.at(-1)?.origin
    return Math.max(
      0,
      this.#serving.findIndex(({ name }) => name === origin),
    )
  }

  #losesServer(one: Extract<Happening, { kind: 'store away' | 'failover' }>): void {
    if (!this.server.isUp) return
    this.server.stop()
    this.#later(one.forMs, () => {
      if (this.server.isUp) return
      if (one.kind === 'failover') this.server.failOver(one)
      this.server.start()
    })
  }

  #loseSome({ store }: SimulatedGateway): void {
    const { time } = this
    const pick = (): 'served' | 'request lost' | 'reply lost' => {
      if (time.random() < 0.6) return 'served'
      return time.random() < 0.5 ? 'request lost' : 'reply lost'
    }
    Object.assign(store.connection, { fate: pick, losesMessage: () => time.random() < 0.5 })
  }

  /** Around the time limit of calls: some are answered in time, some take effect when nobody waits for them any more. */
  #slowDown({ store }: SimulatedGateway): void {
    const delayMs = (): number => this.time.between(0, modelTimes.storeTimeout)
    Object.assign(store.connection, { requestDelayMs: delayMs, replyDelayMs: delayMs, messageDelayMs: delayMs })
  }

  #annoyProvider(trouble: ProviderTrouble, forMs: number): void {
    const { mood } = this.provider
    if (trouble === 'lossy') mood.lossRatio = 0.4
    else if (trouble === 'slow') mood.mostDelayMs = 400
    else mood[trouble] = true
    this.#later(forMs, () => this.#soothe(trouble))
  }

  #soothe(trouble: ProviderTrouble): void {
    const { mood } = this.provider
    if (trouble === 'lossy') mood.lossRatio = 0
    else if (trouble === 'slow') mood.mostDelayMs = this.#plan.mostDelayMs
    else mood[trouble] = false
  }

  /** What was to end later ends now. */
  #calmDown(): void {
    this.calmFromMs = this.time.nowMs
    for (const end of [...this.#ends]) end()
  }

  #later(forMs: number, end: () => void): void {
    const once = (): void => {
      if (this.#ends.delete(once)) end()
    }
    this.#ends.add(once)
    this.time.at(this.time.nowMs + forMs, once)
  }
}

function identityOf(fn: number): FunctionIdentity {
  return fn === 0 ? functions[0] : functions[1]
}

import {
  GatewayError,
  type FunctionIdentity,
  type FunctionStatus,
  type ProviderApi,
  type ScaleOptions,
  type ServiceQuery,
} from '#core'
import type { Fate } from '../support/simulated-store.ts'
import type { ProcessClock, SimulatedTime } from './simulated-time.ts'

/** One scale call that reached the provider. */
export interface ScaleWrite {
  readonly key: string
  readonly gateway: string
  readonly fence: number
  /** From zero to wanted and back is one epoch. */
  readonly epoch: number
  readonly sentMs: number
  readonly arrivedMs: number
  /**
   * - `effective`: it made a function wanted that was at zero
   * - `repeated`: accepted, while an earlier one was in effect or on its way
   * - `ignored`: accepted, without any effect
   * - `refused`: for its fence, or because the provider refuses all
   */
  readonly outcome: 'effective' | 'repeated' | 'ignored' | 'refused'
  /** When statuses began to show its effect. */
  effectMs?: number
  /** When its sender was told that it was accepted. */
  acknowledgedMs?: number
}

/** Whose calls they are. */
export interface Caller {
  readonly name: string
  readonly clock: ProcessClock
}

interface SimulatedFunction {
  readonly identity: FunctionIdentity
  desired: number
  available: number
  highestFence: number
  epoch: number
  isScaling: boolean
  isDeployed: boolean
}

/** What the provider and the way to it do at the moment; a fault changes it for a while. */
export interface ProviderMood {
  isDown: boolean
  /** Scale calls are accepted and forgotten. */
  isDeaf: boolean
  /** Scale calls are refused for good. */
  isRefusing: boolean
  /** Functions never become ready. */
  isStuck: boolean
  lossRatio: number
  mostDelayMs: number
  mostReadyMs: number
}

const callTimeoutMs = 500
/** Longest time until an accepted scale call shows. */
const mostEffectDelayMs = 20

/** The platform that gateways of a model share. It refuses fences older than the newest it has seen. */
export class SimulatedProvider {
  readonly mood: ProviderMood = {
    isDown: false,
    isDeaf: false,
    isRefusing: false,
    isStuck: false,
    lossRatio: 0,
    mostDelayMs: 1,
    mostReadyMs: 300,
  }
  readonly writes: ScaleWrite[] = []
  /** Told of each function that becomes ready. */
  onReady: (identity: FunctionIdentity) => void = () => {}
  readonly #time: SimulatedTime
  readonly #functions = new Map<string, SimulatedFunction>()

  constructor(time: SimulatedTime, identities: readonly FunctionIdentity[]) {
    this.#time = time
    for (const identity of identities) {
      const counts = { desired: 0, available: 0, highestFence: 0, epoch: 1 }
      this.#functions.set(identity.key, { identity, ...counts, isScaling: false, isDeployed: true })
    }
  }

  /** Whether a call of the function finds an instance. */
  isReady(key: string): boolean {
    return (this.#functions.get(key)?.available ?? 0) > 0
  }

  /** Stops all replicas behind the gateways' backs. */
  scaleToZero(key: string): void {
    const one = this.#functions.get(key)
    if (one === undefined || one.desired === 0) return
    Object.assign(one, { desired: 0, available: 0, epoch: one.epoch + 1 })
  }

  /** Removes a function, or deploys it anew; it remembers the fence. */
  deploy(key: string, isDeployed: boolean): void {
    this.scaleToZero(key)
    const one = this.#functions.get(key)
    if (one !== undefined) one.isDeployed = isDeployed
  }

  /** A gateway's way to the provider. */
  connect(caller: Caller): ServiceQuery & ProviderApi {
    return {
      status: (target, signal) => this.#call(caller, signal, () => this.#status(target)),
      scale: (target, replicas, options = {}) => this.#sendScale(caller, { target, replicas, options }),
      listFunctions: (_namespace, signal) =>
        this.#call(caller, signal, () => [...this.#functions.values()].filter((one) => one.isDeployed).map(statusOf)),
      listNamespaces: (signal) => this.#call(caller, signal, () => ['fn']),
      call: () => Promise.reject(new Error('nobody asks for that here')),
    }
  }

  /** Whether a scale call is refused for its fence; what a provider that knows no fences does not do. */
  protected isStale(fence: number, highest: number): boolean {
    return fence < highest
  }

  #status({ key }: FunctionIdentity): FunctionStatus | undefined {
    const one = this.#functions.get(key)
    return one?.isDeployed === true ? statusOf(one) : undefined
  }

  async #sendScale(
    caller: Caller,
    { target, replicas, options }: { target: FunctionIdentity; replicas: number; options: ScaleOptions },
  ): Promise<void> {
    const sentMs = this.#time.nowMs
    const written = await this.#call(caller, options.signal, () =>
      this.#scale({ key: target.key, gateway: caller.name, fence: options.fence ?? 0, sentMs }, replicas),
    )
    written.acknowledgedMs = this.#time.nowMs
  }

  #scale(sent: Pick<ScaleWrite, 'key' | 'gateway' | 'fence' | 'sentMs'>, replicas: number): ScaleWrite {
    const one = this.#functions.get(sent.key)
    if (one?.isDeployed !== true) throw new GatewayError('function_not_found', 'no such function')
    const { fence } = sent
    const note = (outcome: ScaleWrite['outcome']): ScaleWrite => {
      const written = { ...sent, epoch: one.epoch, arrivedMs: this.#time.nowMs, outcome }
      this.writes.push(written)
      return written
    }
    if (this.isStale(fence, one.highestFence)) {
      note('refused')
      throw new GatewayError('lease_lost', 'a newer fence was seen', { details: { fence: one.highestFence } })
    }
    if (this.mood.isRefusing) {
      note('refused')
      throw new GatewayError('no_ready_replica', 'refused', { details: { providerStatus: 400 } })
    }
    one.highestFence = Math.max(one.highestFence, fence)
    if (this.mood.isDeaf) return note('ignored')
    if (one.desired > 0 || one.isScaling) return note('repeated')
    const written = note('effective')
    this.#takeEffect(one, written, replicas)
    return written
  }

  #takeEffect(one: SimulatedFunction, written: ScaleWrite, replicas: number): void {
    one.isScaling = true
    this.#later(mostEffectDelayMs, () => {
      one.isScaling = false
      if (!one.isDeployed) return
      one.desired = replicas
      written.effectMs = this.#time.nowMs
      this.#becomeReady(one)
    })
  }

  #becomeReady(one: SimulatedFunction): void {
    const { epoch } = one
    this.#later(this.mood.mostReadyMs, () => {
      if (one.epoch !== epoch) return
      if (this.mood.isStuck) this.#becomeReady(one)
      else {
        one.available = one.desired
        this.onReady(one.identity)
      }
    })
  }

  #later(mostMs: number, happen: () => void): void {
    this.#time.at(this.#time.nowMs + this.#time.between(0, mostMs), happen)
  }

  #fate(): Fate {
    if (this.#time.random() >= this.mood.lossRatio) return 'served'
    return this.#time.random() < 0.5 ? 'request lost' : 'reply lost'
  }

  #call<T>({ clock }: Caller, signal: AbortSignal | undefined, serve: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const limit = clock.after(callTimeoutMs, () => end(() => reject(unavailable())))
    const listening = clock.onAbort(signal, () => end(() => reject(signal?.reason)))
    const end = (settle: () => void): void => {
      limit[Symbol.dispose]()
      listening[Symbol.dispose]()
      settle()
    }
    const fate = this.#fate()
    if (fate === 'request lost') return promise
    this.#later(this.mood.mostDelayMs, () => {
      const settle = this.#answer(serve, { resolve, reject })
      if (fate === 'reply lost') return
      clock.after(this.#time.between(0, this.mood.mostDelayMs), () => end(settle))
    })
    return promise
  }

  /** Serves a call that has arrived; returns how its sender learns of that. */
  #answer<T>(serve: () => T, to: { resolve: (value: T) => void; reject: (error: unknown) => void }): () => void {
    if (this.mood.isDown) return () => to.reject(unavailable())
    try {
      const value = serve()
      return () => to.resolve(value)
    } catch (error) {
      return () => to.reject(error)
    }
  }
}

function statusOf({ identity, desired, available }: SimulatedFunction): FunctionStatus {
  return { name: identity.name, namespace: identity.namespace, replicas: desired, availableReplicas: available }
}

function unavailable(): GatewayError {
  return new GatewayError('provider_unavailable', 'the provider did not answer')
}

import { GatewayError, type Clock, type FunctionStatus, type Reply } from '#core'
import type { FunctionLog } from '../logs/function-log.ts'
import { UsageMeter } from './usage-meter.ts'
import { Refusal } from '../refusal.ts'
import type { FunctionCall, Replica } from '../replicas/replica.ts'
import { ReplicaSet } from '../replicas/replica-set.ts'
import type { Deployment } from './deployment.ts'
import type { FenceStore } from './fence-file.ts'
import { toFunctionStatus, type Usage } from './function-status.ts'
import type { StoredFunction } from './stored-function.ts'

/** Makes a replica of one revision. */
export type ReplicaFactory = (log: FunctionLog) => Replica

/**
 * How a deployment is run, or why it cannot be. Of an `exclusive` one nothing else may run beside it: it insists on a port
 * that the revision before may still have.
 */
export type Revision = { readonly create: ReplicaFactory; readonly exclusive: boolean } | { readonly problem: string }

/** What a function is made with. */
export interface LocalFunctionDeps {
  readonly clock: Clock
  readonly log: FunctionLog
  readonly fences: FenceStore
  /** Told how many replicas there are when calls can be answered that could not be before. */
  readonly onFirstReplica: (available: number) => void
}

/**
 * One deployed function: its revision, the wish for replicas and what became of it. While a new revision starts, the one
 * before goes on answering.
 */
export class LocalFunction {
  /** Whether it came with the provider: such a function is not stored. */
  readonly isSample: boolean
  readonly log: FunctionLog
  readonly #deps: LocalFunctionDeps
  readonly #usage: UsageMeter
  #stored: StoredFunction
  #problem = ''
  #current = new ReplicaSet(noReplica, () => {})
  #retiring: readonly ReplicaSet[] = []
  readonly #ending = new Set<Promise<void>>()
  #newestFence: number
  #available = 0

  constructor(deps: LocalFunctionDeps, isSample: boolean, stored: StoredFunction) {
    this.isSample = isSample
    this.log = deps.log
    this.#deps = deps
    this.#usage = new UsageMeter(deps.clock)
    this.#stored = stored
    this.#newestFence = deps.fences.read()
  }

  get stored(): StoredFunction {
    return this.#stored
  }

  get deployment(): Deployment {
    return this.#stored.deployment
  }

  /** Runs `stored` by `revision` from now on. */
  run(stored: StoredFunction, revision: Revision): void {
    const before = this.#current
    this.#stored = stored
    this.#problem = 'problem' in revision ? revision.problem : ''
    this.#retiring = [...this.#retiring, before]
    const create = 'create' in revision ? () => revision.create(this.log) : noReplica
    const set: ReplicaSet = new ReplicaSet(create, () => this.#retire(set))
    this.#current = set
    if ('exclusive' in revision && revision.exclusive) this.#endRetiring()
    this.#apply()
  }

  /**
   * Wishes for `replicas`. Several wishes may follow one another at any speed; the last one holds.
   * @param fence of the caller's lease, if it has one
   * @throws Refusal 409 for a fence that is older than the newest seen, which its header names
   */
  scale(replicas: number, fence: number | undefined): void {
    if (fence !== undefined) this.#admit(fence)
    this.#stored = { ...this.#stored, replicas }
    this.#apply()
  }

  /** What is known now; why replicas are missing, as it was last asked. */
  status(): FunctionStatus {
    return this.#status(undefined)
  }

  /** As `status`, after asking why replicas are missing. @param withUsage looks at every process of the machine */
  async freshStatus(withUsage: boolean): Promise<FunctionStatus> {
    await this.#current.explain()
    const sets = [...this.#retiring, this.#current]
    const groups = sets.flatMap(({ live }) => live.flatMap((one) => one.groups))
    return this.#status(withUsage ? this.#usage.measure(groups) : undefined)
  }

  /**
   * Has a ready replica answer; one that does not accept the connection or has no room hands on to the next.
   * @throws GatewayError as a Forwarder; Refusal 503 when no replica is ready, 429 when all are busy
   */
  async answer(call: FunctionCall): Promise<Reply> {
    let failure: unknown = noEndpoints(this.deployment.service)
    for (const replica of this.#serving().ready()) {
      try {
        return await replica.answer(call)
      } catch (error) {
        if (!isFull(failure)) failure = error
        if (!mayTryAnother(error, call)) break
      }
    }
    throw failure
  }

  /** Ends all processes; resolves when the last one is gone. */
  async stop(): Promise<void> {
    this.#stored = { ...this.#stored, replicas: 0 }
    this.#apply()
    this.log.ring.close()
    await Promise.all([this.#current.stop(), ...this.#ending])
  }

  #status(usage: Usage | undefined): FunctionStatus {
    return toFunctionStatus(this.#stored, {
      availableReplicas: this.#serving().available,
      reason: this.#stored.replicas === 0 ? '' : this.#problem || this.#current.reason,
      usage,
    })
  }

  #admit(fence: number): void {
    const newest = this.#newestFence
    if (fence < newest) {
      throw new Refusal(409, `fence ${fence} is older than ${newest}: another gateway leads by now`, {
        'X-Pilotlight-Fence': String(newest),
      })
    }
    if (fence === newest) return
    this.#newestFence = fence
    this.#deps.fences.write(fence)
  }

  #serving(): ReplicaSet {
    if (this.#current.available > 0) return this.#current
    return this.#retiring.findLast(({ available }) => available > 0) ?? this.#current
  }

  #apply(): void {
    this.#current.scale(this.#problem === '' ? this.#stored.replicas : 0)
    if (this.#stored.replicas === 0) this.#retire(this.#current)
    else if (this.#retiring.every(({ available }) => available === 0)) this.#endRetiring()
    this.#noteAvailable()
  }

  /** A revision has changed: once it serves, or nothing is wanted, the ones before it end. */
  #retire(changed: ReplicaSet): void {
    if (changed === this.#current && (changed.available > 0 || this.#stored.replicas === 0)) this.#endRetiring()
    this.#noteAvailable()
  }

  #noteAvailable(): void {
    const before = this.#available
    this.#available = this.#serving().available
    if (before === 0 && this.#available > 0) this.#deps.onFirstReplica(this.#available)
  }

  #endRetiring(): void {
    const retired = this.#retiring
    this.#retiring = []
    for (const one of retired) {
      const ending = one.stop().finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    }
  }
}

/** The answer of OpenFaaS's providers, by which gateways know that a function is at zero. */
function noEndpoints(name: string): Refusal {
  return new Refusal(503, `No endpoints available for: ${name}.`)
}

function noReplica(): Replica {
  throw new Error('invariant: a revision that cannot run is never scaled up')
}

function isFull(error: unknown): boolean {
  return error instanceof Refusal && error.status === 429
}

/** A call that reached no function may be tried elsewhere, unless bytes of its body are gone that were not kept. */
function mayTryAnother(error: unknown, { request }: FunctionCall): boolean {
  const neverSent =
    error instanceof GatewayError && error.code === 'upstream_failed' && error.details['accepted'] === false
  return (error instanceof Refusal || neverSent) && request.body.replayable
}

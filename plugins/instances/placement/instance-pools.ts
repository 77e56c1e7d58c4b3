import type { Forwarder, InstanceDirectory, KnownInstance } from '#core'
import { FunctionPool, type FunctionPoolDeps } from './function-pool.ts'

/** What the pools are kept with. */
export interface InstancePoolsDeps extends FunctionPoolDeps {
  readonly directory: InstanceDirectory
  readonly forwarder: Forwarder
}

/** The pools of all functions with instances, in step with the directory. */
export class InstancePools implements Disposable {
  readonly #deps: InstancePoolsDeps
  readonly #pools = new Map<string, FunctionPool>()
  readonly #subscription: Disposable

  constructor(deps: InstancePoolsDeps) {
    this.#deps = deps
    for (const instance of deps.directory.all()) this.#take(instance)
    this.#subscription = deps.directory.subscribe((instance, change) => {
      if (change === 'taken') this.#take(instance)
      else this.#drop(instance)
    })
  }

  /** The pool of a function; undefined when no instance of it is known. */
  of(functionKey: string): FunctionPool | undefined {
    return this.#pools.get(functionKey)
  }

  /** Calls that wait are refused, here and from now on. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    for (const pool of this.#pools.values()) pool.queue.close()
  }

  #take(instance: KnownInstance): void {
    const { functionKey, origin, record } = instance
    const pool = this.#pools.get(functionKey) ?? new FunctionPool(this.#deps, functionKey)
    this.#pools.set(functionKey, pool)
    const before = pool.get(record.id)?.instance.origin
    pool.take(instance)
    // A sidecar that drains waits for its connections: idle ones would only keep it waiting.
    if (record.phase === 'leaving') this.#forget(origin)
    if (before !== undefined && before !== origin) this.#forget(before)
  }

  #drop({ functionKey, origin, record }: KnownInstance): void {
    const pool = this.#pools.get(functionKey)
    if (pool === undefined) return
    pool.drop(record.id)
    if (pool.size === 0) this.#pools.delete(functionKey)
    this.#forget(origin)
  }

  /** Unless another instance is there by now, as happens where addresses are given away again. */
  #forget(origin: string): void {
    for (const { ready } of this.#pools.values()) {
      if (ready.some(({ instance }) => instance.origin === origin)) return
    }
    this.#deps.forwarder.forget?.(origin)
  }
}

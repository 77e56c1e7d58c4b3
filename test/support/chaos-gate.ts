import type { CallKind } from './provider-faults.ts'
import { nameIn, type ProviderCall, type ScriptedProvider } from './scripted-provider.ts'

/** A call that a provider has read the head of and does nothing about, until a test says so. */
export interface HeldCall {
  /** Resolves when it came. */
  readonly arrived: Promise<ProviderCall>
  /** Has it handled now, as one that was under way for long. */
  letGo(): void
  /** Cuts its connection; nothing comes of it. */
  lose(): void
}

interface Hold {
  readonly kind: CallKind
  readonly name: string
  readonly arrived: PromiseWithResolvers<ProviderCall>
  readonly end: PromiseWithResolvers<void>
}

/** Stands before a scripted provider and holds calls back. */
export class ProviderGate {
  #pause: PromiseWithResolvers<void> | undefined
  /** What calls are waited for, and those that came. */
  readonly #holds = new Set<Hold>()
  readonly #held = new Set<Hold>()
  #isLost: (call: ProviderCall) => boolean = () => false

  constructor(provider: ScriptedProvider) {
    provider.intercept = (call) => {
      if (this.#isLost(call)) return Promise.reject(new Error('lost'))
      return this.#holdFor(call) ?? this.#pause?.promise
    }
  }

  /** Holds the next call of one kind for one function. */
  holdNext(kind: CallKind, name: string): HeldCall {
    const hold: Hold = { kind, name, arrived: Promise.withResolvers(), end: Promise.withResolvers() }
    hold.end.promise.catch(() => {}) // may be lost before it came
    this.#holds.add(hold)
    return {
      arrived: hold.arrived.promise,
      letGo: () => hold.end.resolve(),
      lose: () => hold.end.reject(new Error('lost')),
    }
  }

  /** Has every call wait from now on, as a process without time does. */
  pause(): void {
    this.#pause ??= Promise.withResolvers()
  }

  /** Cuts the connections of calls of which `isLost` says so, until it is called anew. */
  loseThose(isLost: (call: ProviderCall) => boolean): void {
    this.#isLost = isLost
  }

  /** Has those that waited handled now. */
  resume(): void {
    this.#pause?.resolve()
    this.#pause = undefined
  }

  /** Holds and loses nothing any more. */
  open(): void {
    this.resume()
    this.#isLost = () => false
    for (const hold of [...this.#holds, ...this.#held]) hold.end.resolve()
    this.#holds.clear()
    this.#held.clear()
  }

  #holdFor(call: ProviderCall): Promise<void> | undefined {
    const hold = [...this.#holds].find(({ kind, name }) => kind === call.kind && name === nameIn(call.target))
    if (hold === undefined) return undefined
    this.#holds.delete(hold)
    this.#held.add(hold)
    hold.arrived.resolve(call)
    return hold.end.promise
  }
}

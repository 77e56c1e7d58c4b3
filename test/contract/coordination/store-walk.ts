import type { CoordinationStore, StoreChange, StoredState } from '../../../core/coordination/coordination-store.ts'
import type { AcquireStep, Back, EntryStep, PlainKind, Step, WriteStep } from './store-steps.ts'

/** For how long something is given that ends before the next step, or after the walk. */
const shortMs = 8
const longMs = 60_000
/** Longer than a record is kept for the sake of a lease of `shortMs`. */
const endedMs = 15 * shortMs
/** By how much a fence may be ahead of the time, microseconds. */
const ahead = 1_000_000_000
/** A number that is never taken for a fence. */
const noTime = 2 ** 52 + 2

/** Gateways of one fleet with a store each, and what each of them has heard. */
export interface FleetOfStores {
  readonly stores: readonly CoordinationStore[]
  readonly heard: readonly (readonly StoreChange[])[]
}

/** Takes steps on the stores of one fleet, and describes the answers without the numbers that differ from store to store. */
export class Walk {
  readonly #fleet: FleetOfStores
  /** Sets the keys of this walk apart from those of others. */
  readonly #name: string
  readonly #fences = new Numbers()
  readonly #versions = new Numbers()

  constructor(fleet: FleetOfStores, name: string) {
    this.#fleet = fleet
    this.#name = name
  }

  /** Takes one step; what it gave for a short time has ended when this resolves. */
  async take(step: Step): Promise<unknown> {
    const store = this.#fleet.stores[step.by]
    if (store === undefined) throw new Error('invariant: as many stores as gateways')
    const answer = await this.#answer(store, `${this.#name}-${step.key}`, step)
    if ('isShort' in step && step.isShort) await new Promise((resolve) => setTimeout(resolve, endedMs))
    return answer
  }

  /** What a gateway has heard of this walk, with the places of versions among those that were given out. */
  heard(by: number): readonly unknown[] {
    const changes = (this.#fleet.heard[by] ?? []).filter((change) => this.#isOwn(change))
    return changes.map((change) => this.#described(change))
  }

  #answer(store: CoordinationStore, key: string, step: Step): Promise<unknown> {
    if (step.kind === 'acquire') return this.#acquire(store, key, step)
    if (step.kind === 'renew') return store.renew(key, { fence: this.#fences.back(key, step.fence), ttlMs: longMs })
    if (step.kind === 'release') return store.release(key, this.#fences.back(key, step.fence))
    if (step.kind === 'write') return this.#write(store, key, step)
    if (step.kind === 'hold role') return store.holdRole(key, step.isShort ? shortMs : longMs)
    if (step.kind === 'put entry' || step.kind === 'renew entries') return this.#keep(store, key, step)
    return this.#plain(store, key, step.kind)
  }

  #plain(store: CoordinationStore, key: string, kind: PlainKind): Promise<unknown> {
    switch (kind) {
      case 'resign role':
        return store.resignRole(key)
      case 'read':
        return store.read(key).then((stored) => this.#stored(key, stored))
      case 'forget':
        return this.#forget(store, key)
      case 'remove entry':
        return store.removeEntry(key)
      case 'entries':
        return this.#entries(store)
      case 'tell':
        return store.tell(key, 'any "text" ü\n')
      case 'add key':
        return store.addKey(key)
      case 'remove key':
        return store.removeKey(key)
      case 'keys':
        return store.keys().then((keys) => keys.filter((one) => one.startsWith(`${this.#name}-`)).toSorted())
    }
  }

  async #acquire(store: CoordinationStore, key: string, { knows, above, isShort }: AcquireStep): Promise<unknown> {
    const last = this.#fences.back(key, 1)
    const aboveFence = { nothing: 0, 'the last': last, 'the future': this.#future(key), 'no time': noTime }[above]
    const knownVersion = this.#versions.back(key, knows)
    const answer = await store.acquire(key, { ttlMs: isShort ? shortMs : longMs, knownVersion, aboveFence })
    const news = this.#stored(key, answer.news)
    if (answer.role === 'follower') return { role: 'follower', isNobodys: answer.remainingMs === 0, news }
    const { role, fence, tookOver } = answer
    this.#fences.note(key, fence)
    return { role, tookOver, isAbove: fence > aboveFence, isAboveAll: fence > last, news }
  }

  async #write(store: CoordinationStore, key: string, step: WriteStep): Promise<unknown> {
    const { under, value, phase, isBarred, expires, isShort, body } = step
    const last = this.#versions.back(key, 1)
    const lastsMs = isShort ? shortMs : longMs
    const answer = await store.write(key, {
      condition: under,
      value: this.#value(key, under, value),
      phase,
      retryInMs: isBarred ? lastsMs : 0,
      expiresInMs: expires ? lastsMs : 0,
      body: `body ${body} "ü"\n`,
    })
    if (!answer.written) return { written: false, stored: this.#stored(key, answer.stored) }
    this.#versions.note(key, answer.version)
    return { written: true, isAboveAll: answer.version > last }
  }

  async #forget(store: CoordinationStore, key: string): Promise<unknown> {
    const last = this.#versions.back(key, 1)
    const version = await store.forget(key)
    this.#versions.note(key, version)
    return { isAboveAll: version > last }
  }

  /** A renewal is of this walk's two keys at the same time. */
  #keep(store: CoordinationStore, key: string, { kind, rank, body, isShort }: EntryStep): Promise<unknown> {
    const ttlMs = isShort ? shortMs : longMs
    const text = `entry ${body} "ü"\n`
    if (kind === 'put entry') return store.putEntry(key, { body: text, rank, ttlMs })
    return store.renewEntries([`${this.#name}-0`, `${this.#name}-1`], { ttlMs, note: text })
  }

  async #entries(store: CoordinationStore): Promise<unknown> {
    const entries = (await store.entries()).filter(({ key }) => key.startsWith(`${this.#name}-`))
    return entries
      .map(({ key, rank, body, remainingMs }) => ({
        key,
        rank,
        body,
        isLong: remainingMs > longMs / 2,
      }))
      .toSorted((one, other) => one.key.localeCompare(other.key))
  }

  #value(key: string, under: WriteStep['under'], value: WriteStep['value']): number {
    if (under === 'version') return this.#versions.back(key, value === 'the future' ? 1 : value)
    if (value !== 'the future') return this.#fences.back(key, value)
    const fence = this.#future(key)
    this.#fences.note(key, fence)
    return fence
  }

  /** A fence that a gateway with a fast clock may have made for itself. */
  #future(key: string): number {
    return Math.max(this.#fences.back(key, 1), Date.now() * 1000) + ahead
  }

  #isOwn(change: StoreChange): boolean {
    if (change.kind === 'told') return change.topic.startsWith(`${this.#name}-`)
    const keys = change.kind === 'renewed' ? change.keys : [change.key]
    return keys.some((key) => key.startsWith(`${this.#name}-`))
  }

  #described(change: StoreChange): unknown {
    if (change.kind !== 'state' && change.kind !== 'gone') return change
    const { key, version, previous } = change
    return { ...change, version: this.#versions.place(key, version), previous: this.#versions.place(key, previous) }
  }

  #stored(key: string, stored: StoredState | undefined): unknown {
    if (stored === undefined) return undefined
    const { version, body, ageMs } = stored
    return { version: this.#versions.place(key, version), body, isYoung: ageMs >= 0 && ageMs < longMs / 2 }
  }
}

/** Numbers that a store gave out for each key, in order. */
class Numbers {
  readonly #given = new Map<string, number[]>()

  note(key: string, number: number): void {
    this.#given.set(key, [...this.#all(key), number])
  }

  /** 0 for none. */
  back(key: string, back: Back): number {
    return back === 0 ? 0 : (this.#all(key).at(-back) ?? 0)
  }

  place(key: string, number: number): number | 'none' {
    return number === 0 ? 'none' : this.#all(key).indexOf(number)
  }

  #all(key: string): readonly number[] {
    return this.#given.get(key) ?? []
  }
}

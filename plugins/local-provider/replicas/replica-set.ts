import type { Replica } from './replica.ts'

/** The replicas of one revision of a function. Wishes may follow one another at any speed: the last one holds. */
export class ReplicaSet {
  readonly #create: () => Replica
  readonly #onChange: () => void
  #live: readonly Replica[] = []
  readonly #ending = new Set<Promise<void>>()
  #next = 0

  constructor(create: () => Replica, onChange: () => void) {
    this.#create = create
    this.#onChange = onChange
  }

  /** Replicas that are wanted, ready or not. */
  get live(): readonly Replica[] {
    return this.#live
  }

  get available(): number {
    return this.#live.reduce((sum, one) => sum + (one.isReady ? 1 : 0), 0)
  }

  /** Why replicas do not run although they should: the first reason found, or empty. */
  get reason(): string {
    return this.#live.find(({ reason }) => reason !== '')?.reason ?? ''
  }

  /** Starts or stops replicas, all at once, until `wanted` are left. Those that are not ready go first, then the youngest. */
  scale(wanted: number): void {
    const kept = this.#live.toSorted((one, other) => Number(other.isReady) - Number(one.isReady))
    const surplus = kept.splice(wanted)
    const added = Array.from({ length: Math.max(0, wanted - kept.length) }, () => this.#create())
    this.#live = [...kept, ...added]
    for (const one of surplus) this.#end(one)
    for (const one of added) one.start(this.#onChange)
  }

  /** The ready replicas, those with room first, starting with another one every time. */
  ready(): readonly Replica[] {
    const ready = this.#live.filter(({ isReady }) => isReady)
    if (ready.length < 2) return ready
    this.#next = (this.#next + 1) % ready.length
    const turned = [...ready.slice(this.#next), ...ready.slice(0, this.#next)]
    return turned.toSorted((one, other) => Number(other.hasRoom) - Number(one.hasRoom))
  }

  /** Has every replica that is not ready asked why. Takes a moment at most. */
  async explain(): Promise<void> {
    await Promise.all(this.#live.map((one) => one.explain()))
  }

  /** Stops all replicas; resolves when the last process has ended. */
  async stop(): Promise<void> {
    this.scale(0)
    await Promise.all(this.#ending)
  }

  #end(replica: Replica): void {
    const ending = replica.stop().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }
}

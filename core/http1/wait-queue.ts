interface Place<T> {
  readonly waiter: T
  previous: Place<T> | undefined
  next: Place<T> | undefined
}

/** Waiters in the order they came; each may leave at any time. Every operation takes the same time however many wait. */
export class WaitQueue<T extends object> {
  readonly #places = new Map<T, Place<T>>()
  #first: Place<T> | undefined
  #last: Place<T> | undefined

  get size(): number {
    return this.#places.size
  }

  /** Queues a waiter, who must not be waiting already. */
  add(waiter: T): void {
    const place: Place<T> = { waiter, previous: this.#last, next: undefined }
    if (this.#last === undefined) this.#first = place
    else this.#last.next = place
    this.#last = place
    this.#places.set(waiter, place)
  }

  /** Takes the one who has waited longest, or undefined when nobody waits. */
  take(): T | undefined {
    const waiter = this.#first?.waiter
    if (waiter !== undefined) this.remove(waiter)
    return waiter
  }

  /** Takes a waiter out of the queue, if it is there. */
  remove(waiter: T): void {
    const place = this.#places.get(waiter)
    if (place === undefined) return
    this.#places.delete(waiter)
    if (place.previous === undefined) this.#first = place.next
    else place.previous.next = place.next
    if (place.next === undefined) this.#last = place.previous
    else place.next.previous = place.previous
  }
}

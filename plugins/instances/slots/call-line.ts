import type { Waiter } from '#core'
import type { Candidate } from '../placement/candidate.ts'

/** The slot that a waiting call was given. */
export interface GrantedSlot {
  readonly candidate: Candidate
  /** Undefined when the call may try without one. */
  readonly slot: string | undefined
}

/** Where a call goes that has waited: `probe` is to the provider as well, and tells the queue how that went. */
export type WayOut = GrantedSlot | 'probe' | 'provider'

/** One call that waits. */
export interface WaitingCall {
  readonly waiter: Waiter
  /** When its head was received, monotonic. */
  readonly receivedMs: number
  /** Set before it is released. */
  way: WayOut
}

interface Place {
  readonly call: WaitingCall
  before: Place | undefined
  after: Place | undefined
}

/** Calls in the order in which they were received, also those that come back after an attempt in vain. */
export class CallLine {
  readonly #places = new Map<WaitingCall, Place>()
  #first: Place | undefined
  #last: Place | undefined

  get size(): number {
    return this.#places.size
  }

  /** The call that has waited longest. */
  get first(): WaitingCall | undefined {
    return this.#first?.call
  }

  /** Lines a call up behind all that were received before it, or together with it. */
  add(call: WaitingCall): void {
    let before = this.#last
    while (before !== undefined && before.call.receivedMs > call.receivedMs) before = before.before
    const after = before === undefined ? this.#first : before.after
    const place: Place = { call, before, after }
    this.#link(before, place)
    this.#link(place, after)
    this.#places.set(call, place)
  }

  /** Takes a call out, if it is there. */
  remove(call: WaitingCall): void {
    const place = this.#places.get(call)
    if (place === undefined) return
    this.#places.delete(call)
    this.#link(place.before, place.after)
  }

  #link(before: Place | undefined, after: Place | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}

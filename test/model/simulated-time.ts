import type { Clock } from '../../core/time/clock.ts'
import type { Random } from '../../core/time/random.ts'

interface Event {
  readonly dueMs: number
  /** Decides among events that are due at once. */
  readonly rank: number
  readonly ring: () => void
  isOff: boolean
}

const epochMs = Date.UTC(2026, 0, 1)

/** The only thing that moves in a model: what is due next happens next; of what is due at once, anything may come first. */
export class SimulatedTime {
  readonly random: Random
  #nowMs = 1_000_000
  readonly #events: Event[] = []

  constructor(random: Random) {
    this.random = random
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** A time between two bounds. */
  between(leastMs: number, mostMs: number): number {
    return leastMs + (mostMs - leastMs) * this.random()
  }

  at(dueMs: number, ring: () => void): Disposable {
    const event: Event = { dueMs: Math.max(dueMs, this.#nowMs), rank: this.random(), ring, isOff: false }
    this.#insert(event)
    return { [Symbol.dispose]: () => void (event.isOff = true) }
  }

  /** Lets everything happen that is due before `untilMs`, or until `isOver`. All that follows from one event comes before the next. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settled()
    while (!isOver()) {
      const event = this.#events.at(-1)
      if (event === undefined || event.dueMs > untilMs) break
      this.#events.pop()
      if (event.isOff) continue
      this.#nowMs = event.dueMs
      event.ring()
      await settled()
    }
    if (!isOver()) this.#nowMs = untilMs
  }

  /** Latest first, so that the next one is popped. */
  #insert(event: Event): void {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#events[middle]
      if (other !== undefined && isLater(other, event)) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
  }
}

/** The clock of one process, which may be set wrong, and which stands still for the process while that is paused. */
export class ProcessClock implements Clock {
  readonly #time: SimulatedTime
  readonly #skewMs: number
  #withheld: (() => void)[] = []
  readonly #listening = new Set<() => void>()
  #state: 'running' | 'paused' | 'stopped' = 'running'

  constructor(time: SimulatedTime, skewMs = 0) {
    this.#time = time
    this.#skewMs = skewMs
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  nowMs(): number {
    return epochMs + this.#time.nowMs + this.#skewMs
  }

  monotonicMs(): number {
    return this.#time.nowMs
  }

  after(delayMs: number, callback: () => void): Disposable {
    let isOff = false
    const ring = (): void => {
      if (isOff || this.#state === 'stopped') return
      if (this.#state === 'paused') this.#withheld.push(ring)
      else callback()
    }
    const event = this.#time.at(this.#time.nowMs + Math.max(0, delayMs), ring)
    return {
      [Symbol.dispose]: () => {
        isOff = true
        event[Symbol.dispose]()
      },
    }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const listening = this.onAbort(signal, () => {
      alarm[Symbol.dispose]()
      reject(signal?.reason)
    })
    const alarm = this.after(delayMs, () => {
      listening[Symbol.dispose]()
      resolve()
    })
    return promise
  }

  /** Listens to a signal of the process until it aborts, or until the process ends: a signal that is listened to stays in memory. */
  onAbort(signal: AbortSignal | undefined, callback: () => void): Disposable {
    const end = (): void => {
      this.#listening.delete(end)
      signal?.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      end()
      callback()
    }
    this.#listening.add(end)
    signal?.addEventListener('abort', onAbort)
    return { [Symbol.dispose]: end }
  }

  /** Withholds everything from the process: its timers, and whatever arrives for it. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** Lets everything that was withheld happen now, in any order. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    for (const ring of this.#withheld.splice(0)) this.#time.at(this.#time.nowMs, ring)
  }

  /** Kills the process: nothing happens to it any more. */
  stop(): void {
    this.#state = 'stopped'
    this.#withheld = []
    for (const end of [...this.#listening]) end()
  }
}

/** A reproducible source of numbers. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x5bd1e995) >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

function isLater(one: Event, other: Event): boolean {
  return one.dueMs === other.dueMs ? one.rank > other.rank : one.dueMs > other.dueMs
}

/** Lets every promise that can settle now, settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

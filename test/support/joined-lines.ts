import type { Line } from '../../core/workers/line.ts'

/** A message that was sent on a line. */
export interface SentMessage {
  readonly topic: string
  readonly message: unknown
}

/**
 * One end of a line in memory: messages arrive as copies, in order, after whoever sent them has gone on, and within the same turn
 * of the event loop.
 */
export class JoinedLine implements Line {
  /** What was sent from this end, in order. */
  readonly sent: SentMessage[] = []
  readonly #listeners = new Map<string, (message: unknown) => void>()
  readonly #onClosed = new Set<() => void>()
  #other: JoinedLine | undefined
  #arrived: SentMessage[] = []
  #isStalled = false
  #isClosed = false

  /** Joins two ends. */
  join(other: JoinedLine): void {
    this.#other = other
  }

  /** @throws DataCloneError for what cannot be sent to another process, so that tests notice */
  send(topic: string, message: unknown): void {
    if (this.#isClosed) return
    const sent = structuredClone({ topic, message })
    this.sent.push(sent)
    const other = this.#other
    if (other !== undefined) queueMicrotask(() => other.#arrive(sent))
  }

  receive(topic: string, listener: (message: unknown) => void): Disposable {
    this.#listeners.set(topic, listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(topic) }
  }

  onClosed(listener: () => void): Disposable {
    if (this.#isClosed) listener()
    else this.#onClosed.add(listener)
    return { [Symbol.dispose]: () => void this.#onClosed.delete(listener) }
  }

  /** How many topics and ends somebody listens to: 0 when all was closed. */
  get listeners(): number {
    return this.#listeners.size + this.#onClosed.size
  }

  /** Stops this end's process: what arrives is not heard until {@link resume}. */
  stall(): void {
    this.#isStalled = true
  }

  resume(): void {
    this.#isStalled = false
    const arrived = this.#arrived
    this.#arrived = []
    for (const one of arrived) this.#arrive(one)
  }

  /** Tells this end that the other side is gone; messages under way are lost. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const listener of [...this.#onClosed]) listener()
    this.#onClosed.clear()
  }

  #arrive(sent: SentMessage): void {
    if (this.#isClosed) return
    if (this.#isStalled) this.#arrived.push(sent)
    else this.#listeners.get(sent.topic)?.(sent.message)
  }
}

/** Two ends of one line. */
export interface JoinedLines {
  readonly worker: JoinedLine
  readonly supervisor: JoinedLine
  /** Ends the line for both sides, as the death of either process does. */
  readonly cut: () => void
}

/** Makes a line in memory between what stands for a worker and its supervisor. */
export function joinLines(): JoinedLines {
  const [worker, supervisor] = [new JoinedLine(), new JoinedLine()]
  worker.join(supervisor)
  supervisor.join(worker)
  return {
    worker,
    supervisor,
    cut: () => {
      worker.close()
      supervisor.close()
    },
  }
}

import type { Line } from './line.ts'

/** What both `process` and a child process are to each other. */
export interface ConnectedProcess {
  readonly connected: boolean
  send?(message: unknown, handle: undefined, options: undefined, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'disconnect', listener: () => void): unknown
}

/** Marks messages of lines among those of Node and of plugins. */
const mark = 'pilotlightTopic'

interface Envelope {
  readonly [mark]: string
  readonly message: unknown
}

/** A line over the channel that Node keeps between a process and the one that forked it. */
export class ProcessLine implements Line {
  readonly #other: ConnectedProcess
  readonly #listeners = new Map<string, (message: unknown) => void>()
  readonly #onClosed = new Set<() => void>()

  constructor(other: ConnectedProcess) {
    this.#other = other
    other.on('message', (envelope) => this.#hear(envelope))
    other.once('disconnect', () => {
      for (const listener of this.#onClosed) listener()
      this.#onClosed.clear()
    })
  }

  send(topic: string, message: unknown): void {
    if (!this.#other.connected) return
    // A message to a process that goes away just now is lost; its end is heard by 'disconnect'.
    this.#other.send?.({ [mark]: topic, message } satisfies Envelope, undefined, undefined, () => {})
  }

  receive(topic: string, listener: (message: unknown) => void): Disposable {
    this.#listeners.set(topic, listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(topic) }
  }

  onClosed(listener: () => void): Disposable {
    if (!this.#other.connected) listener()
    else this.#onClosed.add(listener)
    return { [Symbol.dispose]: () => void this.#onClosed.delete(listener) }
  }

  #hear(envelope: unknown): void {
    if (typeof envelope !== 'object' || envelope === null || !(mark in envelope)) return
    const { [mark]: topic, message } = envelope as Envelope // only this class marks messages
    this.#listeners.get(topic)?.(message)
  }
}

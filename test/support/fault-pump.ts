import type { Socket } from 'node:net'
import { machineMs } from './machine-clock.ts'
import { pause } from './eventually.ts'
import type { FaultCounts, FaultMode, Way } from './fault-proxy.ts'

/** One way of one connection. */
export interface FaultWay {
  readonly from: Socket
  readonly to: Socket
  readonly way: Way
  readonly mode: () => FaultMode
  /** Resolves at the next change of the mode. */
  readonly modeChange: () => Promise<void>
  readonly counts: FaultCounts
}

/** Bytes that may wait here until the sender is made to wait. */
const mostWaiting = 1024 * 1024

/** Carries one way of a connection, in order, as the mode of the moment says. */
export class FaultPump {
  readonly #at: FaultWay
  #queue: Promise<void> = Promise.resolve()
  #waiting = 0
  #isDead = false

  constructor(at: FaultWay) {
    this.#at = at
    const { from } = at
    from.on('data', (piece: Buffer) => this.#take(piece))
    from.once('end', () => this.#then(() => this.#finish()))
  }

  /** Whether what is sent this way now is lost; after the first loss nothing may arrive any more. */
  get loses(): boolean {
    const mode = this.#at.mode()
    return this.#isDead || mode.kind === 'blackHole' || (mode.kind === 'halfOpen' && mode.lost === this.#at.way)
  }

  #take(piece: Buffer): void {
    const { from } = this.#at
    const arrivedMs = machineMs()
    this.#waiting += piece.byteLength
    if (this.#waiting > mostWaiting) from.pause()
    this.#then(async () => {
      await this.#deliver(piece, arrivedMs)
      this.#waiting -= piece.byteLength
      if (this.#waiting <= mostWaiting && from.isPaused()) from.resume()
    })
  }

  #then(step: () => void | Promise<void>): void {
    this.#queue = this.#queue.then(step)
  }

  async #deliver(piece: Buffer, arrivedMs: number): Promise<void> {
    const mode = await this.#modeWhenDue(arrivedMs)
    const { to, way, counts } = this.#at
    if (this.#isDead || to.destroyed) {
      counts.lost += piece.byteLength
      return
    }
    counts[way] += piece.byteLength
    const size = mode.kind === 'slice' ? mode.bytes : piece.byteLength
    for (let at = 0; at < piece.byteLength; at += size) {
      await this.#write(piece.subarray(at, at + size))
      // The next turn of the event loop makes it a packet of its own.
      if (mode.kind === 'slice') await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Resolves when a byte that arrived then may go on, or is lost. */
  async #modeWhenDue(arrivedMs: number): Promise<FaultMode> {
    for (;;) {
      const mode = this.#at.mode()
      this.#isDead = this.loses
      if (this.#isDead) return mode
      const leftMs = mode.kind === 'latency' ? arrivedMs + mode.ms - machineMs() : 0
      if (mode.kind === 'stall') await this.#at.modeChange()
      else if (leftMs > 0) await Promise.race([pause(leftMs), this.#at.modeChange()])
      else return mode
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    const { to } = this.#at
    if (to.destroyed || to.write(bytes)) return
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        to.off('drain', settle)
        to.off('close', settle)
        resolve()
      }
      to.on('drain', settle)
      to.on('close', settle)
    })
  }

  /** Passes on that the sender has said its last, unless that is lost as well. */
  async #finish(): Promise<void> {
    await this.#modeWhenDue(machineMs())
    if (!this.#isDead) this.#at.to.end()
  }
}

import { createServer } from 'node:net'
import type { Random } from '../time/random.ts'

/** Where replicas listen. */
export const replicaHost = '127.0.0.1'

/**
 * Hands out ports for replicas. The range lies below the one from which the kernel takes ports for outgoing connections, so
 * that a port that was free stays free until its replica listens. Given-back ports are used first.
 */
export class PortAllocator {
  readonly #from: number
  readonly #size: number
  readonly #taken = new Set<number>()
  readonly #returned: number[] = []
  #offset: number

  constructor(deps: { range: { readonly from: number; readonly to: number }; random: Random }) {
    this.#from = deps.range.from
    this.#size = deps.range.to - deps.range.from + 1
    this.#offset = Math.floor(deps.random() * this.#size) // two gateways on one machine seldom meet
  }

  /** Takes a port on which nobody listens, or undefined when there is none. */
  async take(): Promise<number | undefined> {
    for (let tries = this.#size + this.#returned.length; tries > 0; tries -= 1) {
      const port = this.#candidate()
      if (this.#taken.has(port)) continue
      this.#taken.add(port)
      if (await isFree(port)) return port
      this.#taken.delete(port)
    }
    return undefined
  }

  /** Takes a certain port; false when somebody listens on it. */
  async takeExactly(port: number): Promise<boolean> {
    if (this.#taken.has(port)) return false
    this.#taken.add(port)
    if (await isFree(port)) return true
    this.#taken.delete(port)
    return false
  }

  giveBack(port: number): void {
    this.#taken.delete(port)
    if (port >= this.#from && port < this.#from + this.#size) this.#returned.push(port)
  }

  #candidate(): number {
    const returned = this.#returned.pop()
    if (returned !== undefined) return returned
    this.#offset = (this.#offset + 1) % this.#size
    return this.#from + this.#offset
  }
}

/** Tries to listen: the only question whose answer counts. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: replicaHost, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

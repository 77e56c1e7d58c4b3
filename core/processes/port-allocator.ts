import { createServer, type Server } from 'node:net'
import type { Random } from '../time/random.ts'

/** Where replicas listen. */
export const replicaHost = '127.0.0.1'

/**
 * Hands out ports for replicas. The range lies below the one from which the kernel takes ports for outgoing connections, and no two
 * processes of this program hand out the same one, so that a port that was free stays free until its replica listens: otherwise the
 * calls of one could reach the other. Given-back ports are used first.
 *
 * @see unix(7), "Abstract sockets": a claim is one, and ends with its process at the latest
 */
export class PortAllocator {
  readonly #from: number
  readonly #size: number
  readonly #taken = new Set<number>()
  readonly #returned: number[] = []
  readonly #claims = new Map<number, Server>()
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
      if ((await this.#claim(port)) && (await isFree(port))) return port
      this.#unclaim(port)
      this.#taken.delete(port)
    }
    return undefined
  }

  /** Takes a certain port, which somebody else has chosen; false when somebody listens on it. */
  async takeExactly(port: number): Promise<boolean> {
    if (this.#taken.has(port)) return false
    this.#taken.add(port)
    if (await isFree(port)) return true
    this.#taken.delete(port)
    return false
  }

  giveBack(port: number): void {
    this.#unclaim(port)
    this.#taken.delete(port)
    if (port >= this.#from && port < this.#from + this.#size) this.#returned.push(port)
  }

  /** False when another process hands this port out. */
  async #claim(port: number): Promise<boolean> {
    const socket = createServer((peer) => peer.destroy())
    const isClaimed = await new Promise<boolean>((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'))
      socket.listen(`\0pilotlight-port-${port}`, () => resolve(true))
    })
    if (socket.listening) this.#claims.set(port, socket.unref())
    return isClaimed
  }

  #unclaim(port: number): void {
    this.#claims.get(port)?.close()
    this.#claims.delete(port)
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

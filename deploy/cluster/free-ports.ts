import { createServer } from 'node:net'

/** Below the ports that the kernel takes for outgoing connections, above those of the local provider's functions. */
const from = 30_000
const size = 2_700

/**
 * Hands out ports of loopback on which nobody listens, none twice. They are fixed before anything starts, so that each
 * program can be told of the others, and finds its port again when it is restarted.
 */
export class FreePorts {
  #offset = Math.floor(Math.random() * size)
  readonly #taken = new Set<number>()

  /** @throws Error when none is left */
  async take(): Promise<number> {
    for (let tries = 0; tries < size; tries += 1) {
      this.#offset = (this.#offset + 1) % size
      const port = from + this.#offset
      if (this.#taken.has(port) || !(await isFree(port))) continue
      this.#taken.add(port)
      return port
    }
    throw new Error(`no free port is left between ${from} and ${from + size - 1}`)
  }
}

/** Whether nobody listens on a port of loopback: tried, for no other answer counts. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

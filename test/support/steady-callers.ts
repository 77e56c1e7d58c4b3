import { Agent, get } from 'node:http'

/** Callers that call one URL each again and again until they are stopped. */
export class SteadyCallers {
  /** How often each status came; 0 is no whole answer. */
  readonly statuses = new Map<number, number>()
  readonly #agent = new Agent({ keepAlive: true })
  readonly #running: Promise<void>[]
  #isStopped = false

  /** Starts `perUrl` callers for each URL, one call under way at a time each. */
  constructor(urls: readonly string[], perUrl = 2) {
    this.#running = urls.flatMap((url) => Array.from({ length: perUrl }, () => this.#run(url)))
  }

  /** Calls answered so far. */
  get count(): number {
    return [...this.statuses.values()].reduce((sum, one) => sum + one, 0)
  }

  /** Resolves when the last calls are answered. */
  async stop(): Promise<Readonly<Record<number, number>>> {
    this.#isStopped = true
    await Promise.all(this.#running)
    this.#agent.destroy()
    return Object.fromEntries(this.statuses)
  }

  async #run(url: string): Promise<void> {
    while (!this.#isStopped) {
      const status = await this.#call(url)
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    }
  }

  #call(url: string): Promise<number> {
    return new Promise((resolve) => {
      const request = get(url, { agent: this.#agent }, (response) => {
        response.resume()
        response.once('close', () => resolve(response.complete ? (response.statusCode ?? 0) : 0))
      })
      request.once('error', () => resolve(0))
    })
  }
}

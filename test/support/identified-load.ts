import { Agent, request } from 'node:http'

/** Methods of a caller, in turn. */
export type Methods = readonly ('GET' | 'POST')[]

/** Callers that call one URL each again and again, every call with an id of its own, until they are stopped. */
export class IdentifiedLoad {
  /** Ids of all calls that were answered as they should be. */
  readonly answered: string[] = []
  /** What went wrong, one line for each call. */
  readonly failures: string[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #running: Promise<void>[]
  #isStopped = false

  /** Starts `perUrl` callers for each URL, one call under way at a time each. */
  constructor(
    urls: readonly string[],
    { methods = ['GET', 'POST'], perUrl = 4 }: { methods?: Methods; perUrl?: number } = {},
  ) {
    this.#running = urls.flatMap((url, i) =>
      Array.from({ length: perUrl }, (_, j) => this.#run(url, `caller-${i}-${j}`, methods)),
    )
  }

  /** Resolves when the last calls are answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
    this.#agent.destroy()
  }

  async #run(url: string, caller: string, methods: Methods): Promise<void> {
    for (let i = 0; !this.#isStopped; i += 1) {
      const id = `${caller}-${i}`
      const method = methods[i % methods.length] ?? 'GET'
      const body = method === 'POST' ? `body of ${id}` : ''
      const answer = await this.#call(url, { id, method, body })
      if (answer === `200 ${id} ${body}`) this.answered.push(id)
      else this.failures.push(`${method} ${id}: ${answer}`)
    }
  }

  /** Status and body, or what went wrong. */
  #call(url: string, { id, method, body }: { id: string; method: string; body: string }): Promise<string> {
    return new Promise((resolve) => {
      const outgoing = request(url, { method, agent: this.#agent, headers: { 'x-call-id': id } }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('error', () => {})
        response.once('close', () => resolve(`${response.complete ? response.statusCode : 'cut'} ${text}`))
      })
      outgoing.once('error', (error) => resolve(String(error)))
      outgoing.end(body)
    })
  }
}

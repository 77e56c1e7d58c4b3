import { Agent, get } from 'node:http'

/** Decides when a side that moves a body may go on to its next piece. */
export interface Pace {
  /** Resolves when the next piece may be moved. */
  turn(): Promise<void>
}

/** Counts what is on its way between the two ends of a body: written by one, not read by the other. */
export class UnderWay {
  #bytes = 0
  /** The most there was at any time. */
  mostBytes = 0

  wrote(bytes: number): void {
    this.#bytes += bytes
    this.mostBytes = Math.max(this.mostBytes, this.#bytes)
  }

  read(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** How many answers of small calls without a byte written are taken for a standstill. */
const standstillCalls = 20

/** Resolves once the writer of a body has begun and cannot go on. */
export async function standstill(calls: Pace, underWay: UnderWay): Promise<void> {
  for (let still = 0, seen = 0; still < standstillCalls; still += 1) {
    if (underWay.mostBytes !== seen || seen === 0) still = 0
    seen = underWay.mostBytes
    await calls.turn()
  }
}

/** Reads nothing until the writer has come to a standstill, then a piece for each small call. */
export class LateReader implements Pace {
  readonly #calls: Pace
  readonly #underWay: UnderWay
  #hasBegun = false

  constructor(calls: Pace, underWay: UnderWay) {
    this.#calls = calls
    this.#underWay = underWay
  }

  async turn(): Promise<void> {
    if (!this.#hasBegun) await standstill(this.#calls, this.#underWay)
    this.#hasBegun = true
    await this.#calls.turn()
  }
}

/** How one end of a body moves it. */
export interface End {
  readonly pace: Pace
  readonly underWay?: UnderWay
}

/** As fast as the other end lets it. */
export const fastEnd: End = { pace: { turn: () => Promise.resolve() } }

/**
 * One piece for every small call that is answered by the same gateway: slower than any body, without a clock. Whatever else
 * the gateway could take in meanwhile shows how much it keeps.
 */
export class CallPace implements Pace, AsyncDisposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: string
  readonly #running: Promise<void>
  #waiting: (() => void)[] = []
  #isOver = false
  /** Calls answered so far. */
  calls = 0

  /** @param url what the small calls call */
  constructor(url: string) {
    this.#url = url
    this.#running = this.#run()
  }

  turn(): Promise<void> {
    if (this.#isOver) return Promise.reject(new Error('the pace is over'))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#running
    this.#agent.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#call()
      this.calls += 1
      for (const go of this.#waiting.splice(0)) go()
    }
  }

  #call(): Promise<void> {
    return new Promise((resolve) => {
      const request = get(this.#url, { agent: this.#agent }, (response) => {
        response.resume()
        response.once('close', resolve)
      })
      request.once('error', () => resolve())
    })
  }
}

import { Readable } from 'node:stream'
import {
  BufferReply,
  GatewayError,
  gatewayHeader,
  headerValue,
  refusalHeader,
  slotHeader,
  slotsPath,
  slotsToken,
  instanceSecret,
  type Exchange,
  type HttpClientRequest,
  type HttpClientResponse,
  type Refusal,
  type Reply,
} from '#core'

/** One call that an instance works on. */
export interface WorkedOn {
  readonly exchange: Exchange
  readonly slot: string | undefined
  /** Answers it, and frees its slot. */
  finish(status?: number): void
  fail(error: GatewayError): void
}

interface Question {
  readonly gateway: string
  readonly want: number
  readonly resolve: (slots: readonly string[]) => void
}

/** The key that gateway and sidecars share. */
export const sharedKey = 'a key that everybody here knows'

/** A sidecar in memory: a limit, slots, refusals, and faults on demand. */
export class FakeSidecar {
  readonly id: string
  readonly limit: number
  /** Calls that it works on, oldest first. */
  readonly calls: WorkedOn[] = []
  /** Calls of other gateways that it works on. */
  foreign = 0
  /** Slots given and neither used nor given back. */
  readonly reserved = new Set<string>()
  /** Questions that wait. */
  questions: Question[] = []
  /** Every question that was ever asked. */
  readonly asked: { readonly gateway: string; readonly want: number; readonly waitMs: number }[] = []
  /** How many calls came, let in or not. */
  attempts = 0
  /** How many questions about slots came, answered or not. */
  questionsTried = 0
  /** Slots that were given back. */
  givenBack = 0
  /** Why it lets nothing in. */
  refuses: Refusal | undefined
  /** Whether it accepts no connections. */
  isDown = false
  /** Whether it accepts none for calls, but for questions. */
  refusesCalls = false
  /** What its connections, refused or not, wait for first. */
  beforeConnecting: () => Promise<void> = async () => {}
  /** Whether it takes bodies in before it refuses their calls. */
  readsBodies = false
  /** How many of the next calls are cut, or run out of time. */
  cuts = 0
  lateCalls = 0
  /** What it answers to questions for slots, in the place of slots. */
  slotsStatus: number | undefined
  #slotsMade = 0

  constructor(id: string, limit = 0) {
    this.id = id
    this.limit = limit
  }

  /** Slots that are taken. */
  get held(): number {
    return this.calls.length + this.reserved.size + this.foreign
  }

  /** The oldest of the calls. */
  get oldest(): WorkedOn {
    const [oldest] = this.calls
    if (oldest === undefined) throw new Error(`${this.id} has no call`)
    return oldest
  }

  /** The oldest call ends without an answer. */
  fail(error: GatewayError): void {
    const worked = this.calls.shift()
    this.#handOut()
    worked?.fail(error)
  }

  /** Lets slots expire that were not used in time. */
  expireSlots(): void {
    this.reserved.clear()
    this.#handOut()
  }

  /** Calls of other gateways end. */
  freeForeign(count: number): void {
    this.foreign -= count
    this.#handOut()
  }

  /** Answers a call that a gateway sends. */
  async call(exchange: Exchange): Promise<Reply> {
    this.attempts += 1
    await this.beforeConnecting()
    this.#letDown()
    const headers = exchange.upstream?.headers ?? []
    if (headerValue(headers, gatewayHeader) === undefined) throw new Error('the gateway does not say who it is')
    const slot = headerValue(headers, slotHeader)
    if (this.readsBodies) await readOf(exchange)
    if (this.refuses !== undefined) return refusal(this.refuses)
    const isKept = slot !== undefined && this.reserved.delete(slot)
    if (!isKept && this.#isFull) return refusal('full')
    return this.#workOn(exchange, slot)
  }

  #workOn(exchange: Exchange, slot: string | undefined): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const worked: WorkedOn = {
        exchange,
        slot,
        fail: reject,
        finish: (status = 200) => {
          this.calls.splice(this.calls.indexOf(worked), 1)
          this.#handOut()
          resolve(new BufferReply(status, { 'X-Instance': this.id }))
        },
      }
      this.calls.push(worked)
    })
  }

  /** Answers a request of the gateway itself. */
  async request(request: HttpClientRequest): Promise<HttpClientResponse> {
    this.questionsTried += 1
    if (this.isDown) throw connectionRefused()
    const secret = instanceSecret(sharedKey, { id: this.id, name: 'echo', namespace: 'fn' })
    if (request.headers?.['authorization'] !== `Bearer ${slotsToken(secret)}`) return response(401, '')
    if (request.method === 'DELETE') return this.#takeBack(request.url.pathname.slice(slotsPath.length + 1))
    if (this.slotsStatus !== undefined) return response(this.slotsStatus, '{}')
    return this.#ask(request)
  }

  get #isFull(): boolean {
    return this.limit > 0 && this.held >= this.limit
  }

  #letDown(): void {
    if (this.isDown || this.refusesCalls)
      throw new GatewayError('upstream_failed', 'refused', { details: { accepted: false } })
    if (this.cuts > 0) {
      this.cuts -= 1
      throw new GatewayError('upstream_failed', 'cut', { details: { accepted: true } })
    }
    if (this.lateCalls > 0) {
      this.lateCalls -= 1
      throw new GatewayError('upstream_timeout', 'late')
    }
  }

  #takeBack(slot: string): HttpClientResponse {
    if (this.reserved.delete(slot)) {
      this.givenBack += 1
      this.#handOut()
    }
    return response(204, '')
  }

  #ask({ body, signal }: HttpClientRequest): Promise<HttpClientResponse> {
    const wish = JSON.parse(typeof body === 'string' ? body : '') as { gateway: string; want: number; waitMs: number } // what the gateway sends
    this.asked.push(wish)
    return new Promise((resolve, reject) => {
      const question: Question = {
        ...wish,
        resolve: (slots) => {
          this.questions = this.questions.filter((one) => one !== question)
          resolve(response(200, JSON.stringify({ slots })))
        },
      }
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      signal?.addEventListener('abort', () => {
        this.questions = this.questions.filter((one) => one !== question)
        reject(signal.reason)
      })
      this.questions.push(question)
      this.#handOut()
      if (wish.waitMs === 0 && this.questions.includes(question)) question.resolve([])
    })
  }

  #handOut(): void {
    while (!this.#isFull && this.questions[0] !== undefined) {
      const [question] = this.questions
      const slots: string[] = []
      while (!this.#isFull && slots.length < question.want) {
        this.#slotsMade += 1
        const slot = `${this.id}-${this.#slotsMade}`
        this.reserved.add(slot)
        slots.push(slot)
      }
      question.resolve(slots)
    }
  }
}

/** Reads what there is of a body, and does not keep it. */
async function readOf({ request }: Exchange): Promise<void> {
  const body = request.body.open()
  if (body instanceof Readable) body.resume()
  await new Promise((resolve) => setImmediate(resolve))
}

function refusal(reason: Refusal): Reply {
  return new BufferReply(503, { [refusalHeader]: reason })
}

function connectionRefused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
}

function response(status: number, text: string): HttpClientResponse {
  return {
    status,
    rawHeaders: [],
    header: () => undefined,
    body: (async function* () {})(),
    text: async () => text,
    discard: () => {},
  }
}

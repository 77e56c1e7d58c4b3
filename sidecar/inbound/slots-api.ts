import { timingSafeEqual } from 'node:crypto'
import {
  BufferReply,
  type Clock,
  GatewayError,
  type GatewayRequest,
  jsonReply,
  type Reply,
  slotsPath,
  slotsToken,
} from '#core/lean'
import type { Reservations } from './reservations.ts'
import type { Slots, SlotWaiter } from './slots.ts'

/** What slots are given away from. */
export interface SlotsApiDeps {
  readonly slots: Slots
  readonly reservations: Reservations
  readonly clock: Clock
}

/** What a gateway asks for. */
interface Wish {
  readonly gateway: string
  readonly want: number
  readonly waitMs: number
}

const maxBodyBytes = 4096
const maxWant = 1000
const maxWaitMs = 60_000
/** A gateway asks once at a time, a worker of it as well: more than this is a mistake. */
const maxAsking = 1000

/**
 * Gives slots to gateways with waiting calls: `POST /.pilotlight/slots` is answered as soon as there is one, `DELETE` with a token gives
 * one back. Closing the connection withdraws the question, and slots that the answer did not deliver.
 */
export class SlotsApi {
  readonly #deps: SlotsApiDeps
  readonly #authorization: Buffer
  readonly #asking = new Set<() => void>()
  #isLeaving = false

  /** @param secret of this instance: gateways that have it, or the key that yields it, may ask for slots */
  constructor(deps: SlotsApiDeps, secret: string) {
    this.#deps = deps
    this.#authorization = Buffer.from(`Bearer ${slotsToken(secret)}`)
  }

  /** Answers a request of a gateway for slots; undefined for every other request, which is the function's. */
  answer(request: GatewayRequest): Promise<Reply> | undefined {
    const { target } = request
    if (!target.startsWith(slotsPath) || !this.#isAuthorized(request)) return undefined
    if (target === slotsPath) return request.method === 'POST' ? this.#ask(request) : notAllowed('POST')
    if (target.charAt(slotsPath.length) !== '/') return undefined
    return request.method === 'DELETE' ? this.#giveBack(target.slice(slotsPath.length + 1)) : notAllowed('DELETE')
  }

  /** The instance leaves: whoever asks is told so, from now on. */
  leave(): void {
    this.#isLeaving = true
    for (const tell of this.#asking) tell()
  }

  #isAuthorized(request: GatewayRequest): boolean {
    const given = Buffer.from(request.header('authorization') ?? '')
    return given.byteLength === this.#authorization.byteLength && timingSafeEqual(given, this.#authorization)
  }

  async #ask(request: GatewayRequest): Promise<Reply> {
    const wish = toWish(await request.body.bytes(maxBodyBytes))
    if (this.#isLeaving) return gone()
    if (this.#asking.size >= maxAsking) throw new GatewayError('rate_limited', 'too many gateways ask for slots')
    const tokens = await this.#wait(wish, request)
    if (tokens.length === 0 && this.#isLeaving) return gone()
    const reply = jsonReply(200, { slots: tokens })
    reply.onEnd((end) => {
      if (end !== 'complete') for (const token of tokens) this.#deps.reservations.giveBack(token)
    })
    return reply
  }

  /** Resolves with tokens; without any when the time is over, the gateway has hung up or the instance leaves. */
  #wait({ gateway, want, waitMs }: Wish, request: GatewayRequest): Promise<readonly string[]> {
    const { slots, reservations, clock } = this.#deps
    const tokens: string[] = []
    return new Promise((resolve) => {
      const settle = (): void => {
        timer[Symbol.dispose]()
        request.offGone(giveUp)
        this.#asking.delete(giveUp)
        resolve(tokens)
      }
      const giveUp = (): void => {
        slots.withdraw(gateway, waiter)
        settle()
      }
      const waiter: SlotWaiter = {
        take: () => tokens.push(reservations.make()) < want,
        served: settle,
      }
      const timer = clock.after(waitMs, giveUp)
      this.#asking.add(giveUp)
      request.onGone(giveUp)
      if (!request.gone) slots.wait(gateway, waiter)
    })
  }

  async #giveBack(token: string): Promise<Reply> {
    this.#deps.reservations.giveBack(token)
    return new BufferReply(204)
  }
}

function gone(): Reply {
  return jsonReply(410, { slots: [] })
}

async function notAllowed(method: string): Promise<Reply> {
  return new BufferReply(405, { Allow: method })
}

/** @throws GatewayError `request_invalid` */
function toWish(body: Buffer): Wish {
  const { gateway, want, waitMs = 0 } = fieldsOf(body)
  if (typeof gateway !== 'string' || gateway === '' || gateway.length > 256) throw invalid('gateway', 'a name')
  if (!isAmount(want) || !Number.isInteger(want) || want === 0) throw invalid('want', 'a whole number from 1')
  if (!isAmount(waitMs)) throw invalid('waitMs', 'milliseconds')
  return { gateway, want: Math.min(want, maxWant), waitMs: Math.min(waitMs, maxWaitMs) }
}

function fieldsOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {} // members are checked by the caller
  } catch {
    return {}
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function invalid(field: string, wanted: string): GatewayError {
  return new GatewayError('request_invalid', `"${field}" must be ${wanted}`)
}

import {
  instanceHeader,
  instanceSecret,
  slotsPath,
  slotsToken,
  upstreamFailed,
  type HttpClient,
  type HttpClientResponse,
  type KnownInstance,
  type Logger,
} from '#core'
import type { InstanceMetrics } from '../instance-metrics.ts'

/** What asking for slots works with. */
export interface SlotsClientDeps {
  readonly http: HttpClient
  readonly log: Logger
  readonly metrics: InstanceMetrics
  /** Yields the secrets of sidecars. */
  readonly key: string
  readonly gatewayId: string
}

/** How many slots are wanted, and how long the sidecar may wait until there is one. */
export interface SlotWish {
  readonly want: number
  readonly waitMs: number
}

/** Beyond the time that the sidecar may take. */
const answerMs = 5_000
const maxAnswerBytes = 64 * 1024
/** What fits into a header and a path. */
const validSlot = /^[-\w.~]{1,128}$/

/** Asks sidecars for slots, and gives slots back. */
export class SlotsClient {
  readonly #deps: SlotsClientDeps
  readonly #authorizations = new WeakMap<KnownInstance, string>()

  constructor(deps: SlotsClientDeps) {
    this.#deps = deps
  }

  /**
   * Resolves with slots that are kept for this gateway, none when there were none in time; `leaving` when there will be none any more.
   * @param signal withdraws the question
   * @throws GatewayError `upstream_failed` as a Forwarder; the signal's reason
   */
  async ask(instance: KnownInstance, wish: SlotWish, signal: AbortSignal): Promise<readonly string[] | 'leaving'> {
    const { http, gatewayId, metrics } = this.#deps
    try {
      const answer = await http.request({
        method: 'POST',
        url: new URL(slotsPath, instance.origin),
        headers: { ...this.#headers(instance), 'content-type': 'application/json' },
        body: JSON.stringify({ gateway: gatewayId, ...wish }),
        timeoutMs: wish.waitMs + answerMs,
        signal,
        toPeer: true,
      })
      const slots = await slotsIn(answer)
      if (slots !== 'leaving') metrics.slotsGranted += slots.length
      return slots
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFailed(error)
    }
  }

  /** Frees a slot that nobody will use. Does not wait; a slot whose return gets lost expires by itself. */
  giveBack(instance: KnownInstance, slot: string): void {
    this.#deps.metrics.slotsGivenBack += 1
    this.#return(instance, slot).catch((err: unknown) =>
      this.#deps.log.debug('a slot could not be given back', { instance: instance.record.id, err }),
    )
  }

  async #return(instance: KnownInstance, slot: string): Promise<void> {
    const answer = await this.#deps.http.request({
      method: 'DELETE',
      url: new URL(`${slotsPath}/${slot}`, instance.origin),
      headers: this.#headers(instance),
      timeoutMs: answerMs,
      toPeer: true,
    })
    await answer.text(maxAnswerBytes)
  }

  #headers(instance: KnownInstance): Record<string, string> {
    return { authorization: this.#authorization(instance), [instanceHeader]: instance.record.id }
  }

  #authorization(instance: KnownInstance): string {
    const known = this.#authorizations.get(instance)
    if (known !== undefined) return known
    const made = `Bearer ${slotsToken(instanceSecret(this.#deps.key, instance.record))}`
    this.#authorizations.set(instance, made)
    return made
  }
}

/** @throws Error when the answer is none of a sidecar */
async function slotsIn(answer: HttpClientResponse): Promise<readonly string[] | 'leaving'> {
  const text = await answer.text(maxAnswerBytes)
  if (answer.status === 410) return 'leaving'
  if (answer.status !== 200) throw new Error(`the sidecar answers ${answer.status} when it is asked for slots`)
  const { slots } = JSON.parse(text) as { slots?: unknown } // whatever it is, its one member is checked
  if (Array.isArray(slots) && slots.every(isSlot)) return slots
  throw new Error('the sidecar answers with something that is no list of slots')
}

function isSlot(value: unknown): value is string {
  return typeof value === 'string' && validSlot.test(value)
}

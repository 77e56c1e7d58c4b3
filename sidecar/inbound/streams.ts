import { type GatewayRequest, headerValue, type Reply } from '#core/lean'
import type { CallLedger } from './call-ledger.ts'

/** Whether an answer stays open for as long as its reader wants: an upgraded connection, or an event stream. */
export function isStream(reply: Reply): boolean {
  if (reply.status === 101) return true
  const type = headerValue(reply.headers, 'content-type')
  return type !== undefined && type.slice(0, 17).toLowerCase() === 'text/event-stream'
}

/** The open streams, which count as calls in flight until they end, and can be ended from here. */
export class Streams {
  readonly #ledger: CallLedger
  readonly #open = new Set<GatewayRequest>()
  #isCutting = false

  constructor(ledger: CallLedger) {
    this.#ledger = ledger
  }

  /** Notes a stream. Returns what is to be called at its end. */
  opened(request: GatewayRequest): () => void {
    this.#open.add(request)
    this.#ledger.streamBegan()
    if (this.#isCutting) setImmediate(() => request.cut())
    return () => {
      this.#open.delete(request)
      this.#ledger.streamEnded()
    }
  }

  /** Ends every stream, and those that still begin. Their readers see a connection that was cut, and come back elsewhere. */
  cutAll(): void {
    this.#isCutting = true
    for (const request of this.#open) request.cut()
  }
}

import { GatewayError } from '../errors/gateway-error.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'

/**
 * Chooses the engine of each call: http-proxy for upgrades and for request bodies with trailers, which undici cannot send;
 * the configured engine for everything else.
 */
export class EngineForwarder implements Forwarder {
  readonly #plain: Forwarder
  readonly #httpProxy: Forwarder
  readonly #peers: Forwarder | undefined

  /** @param deps.peers forwards to sidecars over mutual TLS */
  constructor(deps: { plain: Forwarder; httpProxy: Forwarder; peers?: Forwarder | undefined }) {
    this.#plain = deps.plain
    this.#httpProxy = deps.httpProxy
    this.#peers = deps.peers
  }

  forward(call: ForwardCall): Promise<Reply> {
    const { request } = call
    if (call.toPeer === true && call.origin.startsWith('https:')) return this.#toPeer(call)
    if (request.upgrade !== undefined) return this.#httpProxy.forward(call)
    if (request.body.length === undefined && request.header('trailer') !== undefined)
      return this.#httpProxy.forward(call)
    return this.#plain.forward(call)
  }

  forget(origin: string): void {
    this.#plain.forget?.(origin)
    this.#peers?.forget?.(origin)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#plain, this.#httpProxy, this.#peers]
    await Promise.all(all.map((one) => one?.[Symbol.asyncDispose]()))
  }

  #toPeer(call: ForwardCall): Promise<Reply> {
    if (this.#peers !== undefined) return this.#peers.forward(call)
    const cause = new Error('the sidecar wants mutual TLS, for which this gateway has no certificate (instanceTls)')
    const details = { accepted: false }
    return Promise.reject(new GatewayError('upstream_failed', 'the upstream did not answer', { cause, details }))
  }
}

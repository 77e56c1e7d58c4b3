import type { Reply } from '../pipeline/reply.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'

/**
 * Chooses the engine of each call: http-proxy for upgrades and for request bodies with trailers, which undici cannot send;
 * the configured engine for everything else.
 */
export class EngineForwarder implements Forwarder {
  readonly #plain: Forwarder
  readonly #httpProxy: Forwarder

  constructor(deps: { plain: Forwarder; httpProxy: Forwarder }) {
    this.#plain = deps.plain
    this.#httpProxy = deps.httpProxy
  }

  forward(call: ForwardCall): Promise<Reply> {
    const { request } = call
    if (request.upgrade !== undefined) return this.#httpProxy.forward(call)
    if (request.body.length === undefined && request.header('trailer') !== undefined)
      return this.#httpProxy.forward(call)
    return this.#plain.forward(call)
  }

  forget(origin: string): void {
    this.#plain.forget?.(origin)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#plain[Symbol.asyncDispose](), this.#httpProxy[Symbol.asyncDispose]()])
  }
}

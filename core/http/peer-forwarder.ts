import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import { EngineForwarder } from './engine.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'
import { LazyForwarder } from './lazy-forwarder.ts'
import type { PeerIdentity } from './peer-identity.ts'
import { peerConnection } from './peer-connection.ts'
import { UndiciForwarder, type ForwarderOptions } from './undici-forwarder.ts'

/** What {@link PeerForwarder} works with. */
export interface PeerForwarderDeps {
  readonly clock: Clock
  readonly options: ForwarderOptions
  readonly identity: PeerIdentity
}

/**
 * Forwards to sidecars over mutual TLS: the gateway shows its certificate, and wants one for the name of sidecars. With new certificates
 * come new connections; those made with the ones before end with their calls.
 */
export class PeerForwarder implements Forwarder {
  readonly #deps: PeerForwarderDeps
  readonly #generations = new Set<Generation>()
  #current: Generation

  constructor(deps: PeerForwarderDeps) {
    this.#deps = deps
    this.#current = this.#begin()
    deps.identity.onChange(() => {
      const before = this.#current
      this.#current = this.#begin()
      before.retire()
    })
  }

  forward(call: ForwardCall): Promise<Reply> {
    return this.#current.forward(call)
  }

  forget(origin: string): void {
    this.#current.forget(origin)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#generations].map((one) => one.end()))
  }

  #begin(): Generation {
    const { clock, options, identity } = this.#deps
    const secure = peerConnection(identity.current)
    const httpProxy = new LazyForwarder(async () => {
      const { HttpProxyForwarder } = await import('./http-proxy-forwarder.ts')
      return new HttpProxyForwarder({ clock, options, secure })
    })
    const engine = new EngineForwarder({ plain: new UndiciForwarder({ clock, options, secure }), httpProxy })
    const generation = new Generation(engine, () => this.#generations.delete(generation))
    this.#generations.add(generation)
    return generation
  }
}

/** Engines with the same certificates: once retired, they end when their last call has. */
class Generation {
  readonly #engine: Forwarder
  readonly #onEnded: () => void
  #calls = 0
  #isRetired = false

  constructor(engine: Forwarder, onEnded: () => void) {
    this.#engine = engine
    this.#onEnded = onEnded
  }

  async forward(call: ForwardCall): Promise<Reply> {
    this.#calls += 1
    try {
      const reply = await this.#engine.forward({ ...call, toPeer: false })
      reply.onEnd(() => this.#callEnded())
      return reply
    } catch (error) {
      this.#callEnded()
      throw error
    }
  }

  forget(origin: string): void {
    this.#engine.forget?.(origin)
  }

  retire(): void {
    this.#isRetired = true
    if (this.#calls === 0) void this.end()
  }

  async end(): Promise<void> {
    this.#onEnded()
    await this.#engine[Symbol.asyncDispose]()
  }

  #callEnded(): void {
    this.#calls -= 1
    if (this.#isRetired && this.#calls === 0) void this.end()
  }
}

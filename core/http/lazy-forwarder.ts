import type { Reply } from '../pipeline/reply.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'

/** An engine that is loaded with its first call: until then it costs neither memory nor time to start. */
export class LazyForwarder implements Forwarder {
  readonly #load: () => Promise<Forwarder>
  #loaded: Promise<Forwarder> | undefined

  constructor(load: () => Promise<Forwarder>) {
    this.#load = load
  }

  async forward(call: ForwardCall): Promise<Reply> {
    this.#loaded ??= this.#load()
    const forwarder = await this.#loaded
    return forwarder.forward(call)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const forwarder = await this.#loaded
    await forwarder?.[Symbol.asyncDispose]()
  }
}

import { GatewayError } from '../errors/gateway-error.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import type { ForwardCall } from './forwarder.ts'
import { clientClosed, upstreamFailed, upstreamTimedOut } from './upstream-errors.ts'
import type { UpstreamReply, UpstreamSource } from './upstream-reply.ts'

/** How an attempt tells its outcome. */
export interface AttemptPorts {
  readonly clock: Clock
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: GatewayError) => void
}

/**
 * One attempt of an engine: resolves with a reply as soon as the answer's head is there, or rejects with the reason why there is
 * none. It is given up when its time is over, when the client leaves, or when its reply is not wanted.
 */
export abstract class UpstreamAttempt implements UpstreamSource {
  protected readonly call: ForwardCall
  readonly #ports: AttemptPorts
  #timer: Disposable | undefined
  #reply: UpstreamReply | undefined
  #givenUp: GatewayError | undefined
  #settled = false

  constructor(call: ForwardCall, ports: AttemptPorts) {
    this.call = call
    this.#ports = ports
  }

  /**
   * Starts the time limit and watches the client, who may have left already. Called once, before the engine begins, and before a body is
   * read: a client that is slow to send it must not keep what the call holds for longer.
   */
  begin(): void {
    const { request, timeoutMs } = this.call
    if (timeoutMs > 0) {
      this.#timer = this.#ports.clock.after(timeoutMs, () => this.#giveUp(upstreamTimedOut(timeoutMs)))
    }
    request.onGone(() => this.#giveUp(clientClosed()))
  }

  abstract pause(): void

  abstract resume(): void

  abort(): void {
    this.#giveUp(clientClosed())
  }

  /** The attempt failed before, or inside, its answer. */
  failed(error: unknown): void {
    this.settle()
    if (this.#reply !== undefined) this.#reply.fail()
    else this.#ports.reject(this.#givenUp ?? (error instanceof GatewayError ? error : upstreamFailed(error)))
  }

  /** Why it was given up, if it was. */
  get givenUp(): GatewayError | undefined {
    return this.#givenUp
  }

  /** For what outlives the attempt. */
  protected get clock(): Clock {
    return this.#ports.clock
  }

  /** The streamed answer, once its head is there. */
  protected get reply(): UpstreamReply | undefined {
    return this.#reply
  }

  /** The answer's head is there; its body will be streamed. */
  protected answered(reply: UpstreamReply): void {
    this.#reply = reply
    this.#ports.resolve(reply)
  }

  /** The connection has become a tunnel: neither time nor the client's leaving end the attempt any more. */
  protected tunnelled(reply: Reply): void {
    this.settle()
    this.#ports.resolve(reply)
  }

  /** Nothing more will come: the time limit ends. */
  protected settle(): void {
    this.#settled = true
    this.#timer?.[Symbol.dispose]()
  }

  /** Ends the exchange with the upstream, if it has begun. */
  protected abstract cancel(reason: GatewayError): void

  #giveUp(reason: GatewayError): void {
    if (this.#settled || this.#givenUp !== undefined) return
    this.#givenUp = reason
    this.cancel(reason)
    if (this.#reply === undefined) this.#ports.reject(reason)
  }
}

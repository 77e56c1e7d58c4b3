import type { Dispatcher } from 'undici'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import type { ForwardCall } from './forwarder.ts'
import { replyHeaders, replyTrailers } from './reply-headers.ts'
import type { ResetWatch } from './reset-watch.ts'
import { clientClosed, upstreamFailed, upstreamTimedOut } from './upstream-errors.ts'
import { UpstreamReply, type UpstreamSource } from './upstream-reply.ts'

/** How an attempt tells its outcome. */
export interface AttemptPorts {
  readonly clock: Clock
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: GatewayError) => void
}

/** What an attempt over undici needs besides. */
export interface UndiciAttemptPorts extends AttemptPorts {
  readonly resets: ResetWatch
}

/** One attempt over undici: turns its callbacks into a reply, or into the reason why there is none. */
export class UndiciAttempt implements Dispatcher.DispatchHandler, UpstreamSource {
  readonly #call: ForwardCall
  readonly #ports: UndiciAttemptPorts
  readonly #timer: Disposable | undefined
  #controller: Dispatcher.DispatchController | undefined
  #reply: UpstreamReply | undefined
  #givenUp: GatewayError | undefined
  /** Whether only the end of the connection tells the end of the body. */
  #endsWithConnection = false
  #done = false

  constructor(call: ForwardCall, ports: UndiciAttemptPorts) {
    this.#call = call
    this.#ports = ports
    this.#timer =
      call.timeoutMs > 0
        ? ports.clock.after(call.timeoutMs, () => this.#giveUp(upstreamTimedOut(call.timeoutMs)))
        : undefined
    call.request.onGone(() => this.#giveUp(clientClosed()))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp)
  }

  // oxlint-disable-next-line max-params -- undici calls it so
  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    parsed: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    const raw = controller.rawHeaders as readonly Buffer[] // HTTP/1.1 always delivers pairs of buffers
    if (status < 200) {
      this.#call.request.inform(status, replyTrailers(raw) ?? [])
      return
    }
    this.#endsWithConnection = parsed['content-length'] === undefined && parsed['transfer-encoding'] === undefined
    const headers = replyHeaders(raw, parsed, this.#call.request)
    this.#reply = new UpstreamReply({ status, statusText: statusText ?? '', headers }, this)
    this.#ports.resolve(this.#reply)
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#reply?.push(piece)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#settle()
    if (this.#endsWithConnection && this.#ports.resets.isResetting) {
      this.#reply?.fail()
      return
    }
    this.#reply?.complete(replyTrailers(controller.rawTrailers as readonly Buffer[] | null)) // as for the headers
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#settle()
    if (this.#reply !== undefined) this.#reply.fail()
    else this.#ports.reject(this.#givenUp ?? (error instanceof GatewayError ? error : upstreamFailed(error)))
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    this.#giveUp(clientClosed())
  }

  #giveUp(reason: GatewayError): void {
    if (this.#done || this.#givenUp !== undefined) return
    this.#givenUp = reason
    if (this.#controller !== undefined) this.#controller.abort(reason)
    else if (this.#reply === undefined) this.#ports.reject(reason)
  }

  #settle(): void {
    this.#done = true
    this.#timer?.[Symbol.dispose]()
  }
}

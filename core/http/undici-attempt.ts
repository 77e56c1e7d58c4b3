import type { Dispatcher } from 'undici'
import type { GatewayError } from '../errors/gateway-error.ts'
import type { ForwardCall } from './forwarder.ts'
import { replyHeaders, replyTrailers } from './reply-headers.ts'
import type { ResetWatch } from './reset-watch.ts'
import { type AttemptPorts, UpstreamAttempt } from './upstream-attempt.ts'
import { UpstreamReply } from './upstream-reply.ts'

/** What an attempt over undici needs besides. */
export interface UndiciAttemptPorts extends AttemptPorts {
  readonly resets: ResetWatch
}

/** One attempt over undici: what its callbacks tell. */
export class UndiciAttempt extends UpstreamAttempt implements Dispatcher.DispatchHandler {
  readonly #resets: ResetWatch
  #controller: Dispatcher.DispatchController | undefined
  /** Whether only the end of the connection tells the end of the body. */
  #endsWithConnection = false

  constructor(call: ForwardCall, ports: UndiciAttemptPorts) {
    super(call, ports)
    this.#resets = ports.resets
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.givenUp !== undefined) controller.abort(this.givenUp)
  }

  // oxlint-disable-next-line max-params -- undici calls it so
  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    parsed: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    const { request } = this.call
    const raw = controller.rawHeaders as readonly Buffer[] // HTTP/1.1 always delivers pairs of buffers
    if (status < 200) {
      request.inform(status, replyTrailers(raw) ?? [])
      return
    }
    this.#endsWithConnection = parsed['content-length'] === undefined && parsed['transfer-encoding'] === undefined
    const headers = replyHeaders(raw, parsed, request)
    this.answered(new UpstreamReply({ status, statusText: statusText ?? '', headers }, this))
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.reply?.push(piece)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.settle()
    if (this.#endsWithConnection && this.#resets.isResetting) this.reply?.fail()
    else this.reply?.complete(replyTrailers(controller.rawTrailers as readonly Buffer[] | null)) // as for the headers
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.failed(error)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  protected override cancel(reason: GatewayError): void {
    this.#controller?.abort(reason)
  }
}

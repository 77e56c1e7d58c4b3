import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../errors/gateway-error.ts'
import { headerValue } from './header-list.ts'
import { RequestBody } from './request-body.ts'

/** The raw connection of a client that asked for another protocol. */
export interface UpgradeRequest {
  /** What the client sent after its head is still to be read from it. */
  readonly socket: Duplex
}

type GoneListener = () => void

/** What a {@link GatewayRequest} is made from. */
export interface GatewayRequestParts {
  readonly message: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade?: UpgradeRequest | undefined
  readonly replayBodyBytes: number
  /** Whether the client waits for `100 Continue`. */
  readonly expectsContinue: boolean
}

/** One request of a client, after the checks of the listener. */
export class GatewayRequest {
  readonly method: string
  /** Path and query as received, percent-encoding untouched, always starting with `/`. */
  readonly target: string
  /** `[name, value, ...]` as received. */
  readonly rawHeaders: readonly string[]
  readonly body: RequestBody
  readonly upgrade: UpgradeRequest | undefined
  /** For core/http only: node's side of the request. */
  readonly message: IncomingMessage
  /** For core/http only: where the answer goes. */
  readonly response: ServerResponse
  #gone = false
  #onGone: GoneListener | GoneListener[] | undefined
  #controller: AbortController | undefined

  constructor({ message, response, upgrade, replayBodyBytes, expectsContinue }: GatewayRequestParts) {
    this.message = message
    this.method = message.method ?? 'GET'
    this.target = originForm(message.url ?? '/')
    this.rawHeaders = message.rawHeaders
    this.upgrade = upgrade
    this.response = response
    this.body = new RequestBody(message, replayBodyBytes, expectsContinue ? () => response.writeContinue() : undefined)
    const onClose = (): void => this.#closed()
    if (upgrade === undefined) response.on('close', onClose)
    else upgrade.socket.once('close', onClose)
  }

  /** First value of a header (lower-case name); repeats are joined as node:http does. */
  header(lowerName: string): string | undefined {
    const value = this.message.headers[lowerName]
    return Array.isArray(value) ? value[0] : value
  }

  /** Address of the peer, without a port, IPv4 in its own form; empty when it is gone. */
  get remoteAddress(): string {
    const address = this.message.socket.remoteAddress ?? ''
    return address.startsWith('::ffff:') ? address.slice(7) : address
  }

  /** Whether the client left before its answer was complete. */
  get gone(): boolean {
    return this.#gone
  }

  /** Calls `listener` once when the client leaves before its answer is complete (at once if it has left). */
  onGone(listener: GoneListener): void {
    if (this.#gone) listener()
    else if (this.#onGone === undefined) this.#onGone = listener
    else if (Array.isArray(this.#onGone)) this.#onGone.push(listener)
    else this.#onGone = [this.#onGone, listener]
  }

  /** Takes a listener back. */
  offGone(listener: GoneListener): void {
    if (this.#onGone === listener) this.#onGone = undefined
    else if (Array.isArray(this.#onGone)) this.#onGone = this.#onGone.filter((one) => one !== listener)
  }

  /** Aborts with a `client_closed` error when the client leaves. Created on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController()
      this.#controller = controller
      this.onGone(() =>
        controller.abort(new GatewayError('client_closed', 'the client left before the answer was complete')),
      )
    }
    return this.#controller.signal
  }

  /** Passes an informational answer (102, 103) on to the client; anything else, and hints that node:http refuses, are dropped. */
  inform(status: number, headers: readonly string[]): void {
    if (this.response.headersSent || this.upgrade !== undefined || this.message.httpVersionMinor === 0) return
    if (status === 102) this.response.writeProcessing()
    else if (status === 103 && headerValue(headers, 'link') !== undefined) {
      try {
        this.response.writeEarlyHints(earlyHints(headers))
      } catch {
        // node:http refuses links that RFC 8288 allows (a quoted value with a space); a call must not fail for want of a hint.
      }
    }
  }

  /** Ends the client's connection at once, whatever is under way on it: for streams that nobody may wait for any more. */
  cut(): void {
    if (this.upgrade === undefined) this.response.destroy()
    else this.upgrade.socket.destroy()
  }

  #closed(): void {
    if (this.upgrade === undefined && this.response.writableFinished) return
    this.#gone = true
    const listeners = this.#onGone
    this.#onGone = undefined
    if (typeof listeners === 'function') listeners()
    else if (listeners !== undefined) for (const listener of listeners) listener()
  }
}

/** Groups header lines by lower-case name, as `writeEarlyHints` wants them; any name will do, `__proto__` included. */
function earlyHints(headers: readonly string[]): Record<string, string[]> {
  const lines = new Map<string, string[]>()
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? ''
    lines.set(name, [...(lines.get(name) ?? []), headers[i + 1] ?? ''])
  }
  return Object.fromEntries(lines)
}

/** Reduces an absolute-form target to origin form (RFC 9112 section 3.2.2); others are returned as they are. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const authority = url.indexOf('://')
  if (authority === -1) return `/${url}`
  const path = url.slice(authority + 3).search(/[/?]/)
  if (path === -1) return '/'
  const rest = url.slice(authority + 3 + path)
  return rest.startsWith('/') ? rest : `/${rest}`
}

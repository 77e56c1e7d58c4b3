import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { GatewayRequest } from '../../../core/http/gateway-request.ts'

/** What a test may decide about a request. */
export interface SomeRequest {
  readonly method?: string
  readonly target?: string
  /** Lower-case or not: sent as written, parsed in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly replayBodyBytes?: number
  readonly expectsContinue?: boolean
}

/** A request without a connection behind it, and what its client does. */
export class RequestAndClient {
  readonly request: GatewayRequest
  readonly message: IncomingMessage
  readonly response: ServerResponse
  /** How often the client was told to go on. */
  continues = 0

  constructor({
    method = 'GET',
    target = '/',
    headers = {},
    replayBodyBytes = 0,
    expectsContinue = false,
  }: SomeRequest = {}) {
    this.message = new IncomingMessage(new Socket())
    this.message.method = method
    this.message.url = target
    this.message.httpVersionMajor = 1
    this.message.httpVersionMinor = 1
    for (const [name, value] of Object.entries(headers)) {
      this.message.rawHeaders.push(name, value)
      this.message.headers[name.toLowerCase()] = value
    }
    this.response = new ServerResponse(this.message)
    this.response.writeContinue = () => void (this.continues += 1)
    const { message, response } = this
    this.request = new GatewayRequest({ message, response, replayBodyBytes, expectsContinue })
  }

  /** Sends a piece of the body. */
  send(piece: string | Buffer): void {
    this.message.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
  }

  /** Ends the body. */
  end(): void {
    this.message.complete = true
    this.message.push(null)
  }

  /** Closes the client's connection before the answer is complete. */
  leave(): void {
    this.message.destroy()
    this.response.emit('close')
  }
}

/** Builds a request without a connection behind it. */
export function someRequest(decided: SomeRequest = {}): RequestAndClient {
  return new RequestAndClient(decided)
}

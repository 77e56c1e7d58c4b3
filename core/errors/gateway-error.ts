import { errorCodes, type ErrorCode } from './codes.ts'

/** What may accompany an error besides its message. */
export interface GatewayErrorOptions {
  /** Kept for logs, never sent to a client. */
  readonly cause?: unknown
  /** Seconds for `Retry-After`; absent means 1 where the status is 429 or 503, and no header elsewhere. */
  readonly retryAfterSeconds?: number
  /** Facts for logs and for the problem document: primitive values only, safe to show a client. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/**
 * A condition the gateway knows how to explain. The message says what failed, the value and the remedy, and is safe to
 * show a client: it never contains the text of `cause`, an internal address or a credential.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly retryAfterSeconds: number | undefined
  readonly details: Readonly<Record<string, string | number | boolean>>

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GatewayError'
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
    this.details = options.details ?? {}
  }

  /** The HTTP status clients see. */
  get status(): number {
    return errorCodes[this.code].status
  }

  /** The short, constant text of the condition. */
  get title(): string {
    return errorCodes[this.code].title
  }

  /** Whether the same call may succeed later without being changed. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }

  /**
   * Turns anything thrown into a `GatewayError`: one is returned as it is, everything else becomes `code` with the
   * thrown value as cause.
   */
  static from(reason: unknown, code: ErrorCode = 'internal', message = 'unexpected failure'): GatewayError {
    return reason instanceof GatewayError ? reason : new GatewayError(code, message, { cause: reason })
  }
}

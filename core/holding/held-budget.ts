import { GatewayError } from '../errors/gateway-error.ts'
import type { GatewayRequest } from '../http/gateway-request.ts'

/** Bytes that a held call costs besides its head: socket, request and response objects. */
const overheadBytes = 8 * 1024
/** Most that node:http buffers of a body nobody reads. */
const bodyBufferBytes = 64 * 1024

/** How much may be held at once. */
export interface HeldLimits {
  readonly maxHeldPerFunction: number
  readonly maxHeldTotal: number
  readonly maxHeldBytes: number
}

/** Bounds what held calls may cost, per function and in total. */
export class HeldBudget {
  readonly #limits: HeldLimits
  #count = 0
  #bytes = 0

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  /** Calls held now. */
  get count(): number {
    return this.#count
  }

  /**
   * Takes the cost of one call.
   * @param heldForFunction calls held for its function so far
   * @returns gives the cost back; to be called once
   * @throws GatewayError `queue_full` when a limit is reached
   */
  take(request: GatewayRequest, functionKey: string, heldForFunction: number): () => void {
    const { maxHeldPerFunction, maxHeldTotal, maxHeldBytes } = this.#limits
    const bytes = estimateBytes(request)
    if (heldForFunction >= maxHeldPerFunction) {
      throw queueFull(`${maxHeldPerFunction} calls are already held for "${functionKey}" (maxHeldPerFunction)`)
    }
    if (this.#count >= maxHeldTotal) throw queueFull(`${maxHeldTotal} calls are already held in all (maxHeldTotal)`)
    if (this.#bytes + bytes > maxHeldBytes)
      throw queueFull(`held calls already take ${this.#bytes} bytes (maxHeldBytes)`)
    this.#count += 1
    this.#bytes += bytes
    return () => {
      this.#count -= 1
      this.#bytes -= bytes
    }
  }
}

function queueFull(message: string): GatewayError {
  return new GatewayError('queue_full', message, { retryAfterSeconds: 1 })
}

function estimateBytes({ rawHeaders, target, body }: GatewayRequest): number {
  let bytes = overheadBytes + target.length
  for (const piece of rawHeaders) bytes += piece.length
  return bytes + Math.min(body.length ?? bodyBufferBytes, bodyBufferBytes)
}

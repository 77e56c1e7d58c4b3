import {
  GatewayError,
  type FunctionIdentity,
  type FunctionStatus,
  type HttpClientResponse,
  type ScaleOptions,
  type ServiceQuery,
} from '#core'
import { decodeStatus } from './provider-answers.ts'
import type { ProviderCaller } from './provider-caller.ts'
import type { ProviderReader } from './provider-reader.ts'

const maxStatusBytes = 1024 * 1024
const maxRefusalBytes = 4 * 1024
/** Sent: the caller's fencing token. Received with 409: the larger one that the provider has seen. */
const fenceHeader = 'x-pilotlight-fence'
/** Microseconds of the epoch reach it in the year 2112; numbers up to twice as large are exact, so that larger fences can follow. */
const largestFence = 2 ** 52

/**
 * Status and scale calls over HTTP. A status is repeated inside its time limit; a scale call is sent once, because only its
 * caller knows whether the wish still holds.
 */
export class HttpServiceQuery implements ServiceQuery {
  readonly #caller: ProviderCaller
  readonly #reader: ProviderReader
  readonly #statusTimeoutMs: number
  readonly #scaleTimeoutMs: number

  constructor(deps: {
    caller: ProviderCaller
    reader: ProviderReader
    timeouts: { statusMs: number; scaleMs: number }
  }) {
    this.#caller = deps.caller
    this.#reader = deps.reader
    this.#statusTimeoutMs = deps.timeouts.statusMs
    this.#scaleTimeoutMs = deps.timeouts.scaleMs
  }

  async status(target: FunctionIdentity, signal?: AbortSignal): Promise<FunctionStatus | undefined> {
    const answer = await this.#reader.read({
      target: `system/function/${encodeURIComponent(target.name)}?${query({ namespace: target.namespace, usage: 'false' })}`,
      timeoutMs: this.#statusTimeoutMs,
      maxBytes: maxStatusBytes,
      signal,
    })
    return answer.status === 404 ? undefined : decodeStatus(answer)
  }

  async scale(target: FunctionIdentity, replicas: number, { signal, fence }: ScaleOptions = {}): Promise<void> {
    const { name, namespace } = target
    const response = await this.#caller.call({
      method: 'POST',
      // Providers differ in where they read name and namespace from: both places say the same.
      target: `system/scale-function/${encodeURIComponent(name)}?${query({ namespace })}`,
      headers: {
        'content-type': 'application/json',
        ...(fence === undefined ? {} : { [fenceHeader]: String(fence) }),
      },
      body: JSON.stringify({ serviceName: name, replicas, namespace }),
      timeoutMs: this.#scaleTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await excerpt(response)
    if (response.status >= 200 && response.status < 300) return
    throw refusal(target, replicas, { status: response.status, text, fence: response.header(fenceHeader) })
  }
}

function query(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString()
}

/** Reads a short body to the end, so that its connection is kept; a long or broken one says nothing. */
async function excerpt(response: HttpClientResponse): Promise<string> {
  try {
    return await response.text(maxRefusalBytes)
  } catch {
    return ''
  }
}

interface Refused {
  readonly status: number
  readonly text: string
  /** Value of the fence header. */
  readonly fence: string | undefined
}

function refusal({ key }: FunctionIdentity, replicas: number, { status, text, fence }: Refused): GatewayError {
  const cause = new Error(`answer of the provider: ${text}`) // may name internal addresses: for logs
  const details = { providerStatus: status }
  const newerFence = status === 409 ? fenceIn(fence) : undefined
  if (newerFence !== undefined) {
    const message = `another gateway has scaled "${key}" since, with the larger fence ${newerFence}`
    return new GatewayError('lease_lost', message, { cause, details: { ...details, fence: newerFence } })
  }
  if (status === 404) {
    return new GatewayError('function_not_found', `the provider knows no function "${key}"`, { cause, details })
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    const message = `the provider refused to scale "${key}" to ${replicas} (status ${status}); its log says why`
    return new GatewayError('no_ready_replica', message, { cause, details })
  }
  const message = `the provider could not scale "${key}" to ${replicas} now (status ${status})`
  return new GatewayError('provider_unavailable', message, { cause, details })
}

/** What is no whole number in range is not taken for a fence: the next leader would have to exceed it. */
function fenceIn(text: string | undefined): number | undefined {
  const fence = /^\d{1,16}$/.test(text ?? '') ? Number(text) : undefined
  return fence !== undefined && fence <= largestFence ? fence : undefined
}

import type { FunctionStatus, HttpClientResponse, ProviderApi, ProviderCall } from '#core'
import { decodeFunctions, decodeNamespaces } from './provider-answers.ts'
import type { ProviderCaller } from './provider-caller.ts'
import type { ProviderReader } from './provider-reader.ts'

const maxListBytes = 32 * 1024 * 1024
const maxNamespacesBytes = 1024 * 1024

/** The provider's management API over HTTP. */
export class HttpProviderApi implements ProviderApi {
  readonly #caller: ProviderCaller
  readonly #reader: ProviderReader
  readonly #timeoutMs: number

  constructor(deps: { caller: ProviderCaller; reader: ProviderReader; listTimeoutMs: number }) {
    this.#caller = deps.caller
    this.#reader = deps.reader
    this.#timeoutMs = deps.listTimeoutMs
  }

  call(call: ProviderCall): Promise<HttpClientResponse> {
    return this.#caller.call(call)
  }

  async listFunctions(namespace: string, signal?: AbortSignal): Promise<readonly FunctionStatus[]> {
    const target = namespace === '' ? 'system/functions' : `system/functions?namespace=${encodeURIComponent(namespace)}`
    const answer = await this.#reader.read({ target, signal, timeoutMs: this.#timeoutMs, maxBytes: maxListBytes })
    return decodeFunctions(answer)
  }

  async listNamespaces(signal?: AbortSignal): Promise<readonly string[]> {
    const target = 'system/namespaces'
    const answer = await this.#reader.read({ target, signal, timeoutMs: this.#timeoutMs, maxBytes: maxNamespacesBytes })
    return decodeNamespaces(answer)
  }
}

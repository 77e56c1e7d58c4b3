import { functionIdentity, type FunctionIdentity, type GatewayConfig, type Reply, type SystemRequest } from '#core'
import type { FleetNews } from './fleet-news.ts'
import { firstText, jsonFields } from './json-fields.ts'
import type { ProviderPass } from './provider-pass.ts'

/**
 * Passes on deployments, updates and removals of functions, byte for byte. When the provider took one, all gateways
 * forget what they knew of that function: a failure of the version before must not refuse calls of the new one.
 */
export class Deployments {
  readonly #pass: ProviderPass
  readonly #news: FleetNews
  readonly #config: GatewayConfig
  readonly #maxBytes: number

  constructor(deps: { pass: ProviderPass; news: FleetNews; config: GatewayConfig; maxBytes: number }) {
    this.#pass = deps.pass
    this.#news = deps.news
    this.#config = deps.config
    this.#maxBytes = deps.maxBytes
  }

  /**
   * Answers POST, PUT and DELETE of `/system/functions`.
   * @throws GatewayError `body_too_large`, `client_closed`
   */
  async handle(request: SystemRequest): Promise<Reply> {
    const body = await request.request.body.bytes(this.#maxBytes)
    const reply = await this.#pass.reply(request, `system/functions${request.search}`, { body })
    const target = this.#targetOf(request, body)
    if (target !== undefined && reply.status >= 200 && reply.status < 300) await this.#news.forget(target)
    return reply
  }

  #targetOf(request: SystemRequest, body: Uint8Array): FunctionIdentity | undefined {
    const fields = jsonFields(body)
    const name = firstText(request.method === 'DELETE' ? fields?.['functionName'] : fields?.['service'])
    if (name === '') return undefined
    const namespace = firstText(fields?.['namespace'], request.query.get('namespace'), this.#config.functionNamespace)
    return functionIdentity(name, namespace)
  }
}

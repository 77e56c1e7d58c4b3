import {
  functionIdentity,
  type FunctionIdentity,
  type GatewayConfig,
  type ReplicaDirectory,
  type Reply,
  type SystemRequest,
} from '#core'
import { firstText, jsonFields } from './json-fields.ts'
import type { ProviderPass } from './provider-pass.ts'

/**
 * Passes on deployments, updates and removals of functions, byte for byte. When the provider took one, what the gateway
 * knows of that function is forgotten: a failure of the version before must not refuse calls of the new one.
 */
export class Deployments {
  readonly #pass: ProviderPass
  readonly #replicas: ReplicaDirectory
  readonly #config: GatewayConfig
  readonly #maxBytes: number

  constructor(deps: { pass: ProviderPass; replicas: ReplicaDirectory; config: GatewayConfig; maxBytes: number }) {
    this.#pass = deps.pass
    this.#replicas = deps.replicas
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
    if (target !== undefined && reply.status >= 200 && reply.status < 300) this.#replicas.remove(target.key)
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

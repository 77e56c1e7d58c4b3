import { z } from 'zod'
import { BufferReply, jsonReply, type Reply, type SystemRequest, type SystemRoute } from '#core'
import { requireName } from '../names.ts'
import { Refusal } from '../refusal.ts'
import type { NamespaceTable } from '../state/namespace-table.ts'
import type { SecretName, SecretStore } from '../state/secret-store.ts'
import { decodedJson } from './request-json.ts'

const body = z.object({
  name: z.string(),
  namespace: z.string().nullish(),
  value: z.string().nullish(),
  /** Base64, for values that are no text. */
  rawValue: z.base64().nullish(),
})

/** The part of the provider API that is about secrets. */
export class SecretRoutes {
  readonly #secrets: SecretStore
  readonly #namespaces: NamespaceTable

  constructor(deps: { secrets: SecretStore; namespaces: NamespaceTable }) {
    this.#secrets = deps.secrets
    this.#namespaces = deps.namespaces
  }

  get routes(): readonly SystemRoute[] {
    const path = '/system/secrets'
    return [
      { methods: ['GET'], path, handle: (request) => this.#list(request) },
      {
        methods: ['POST'],
        path,
        handle: (request) => this.#change(request, (name, value) => this.#secrets.create(name, value)),
      },
      {
        methods: ['PUT'],
        path,
        handle: (request) => this.#change(request, (name, value) => this.#secrets.update(name, value)),
      },
      { methods: ['DELETE'], path, handle: (request) => this.#change(request, (name) => this.#secrets.remove(name)) },
    ]
  }

  async #list({ query }: SystemRequest): Promise<Reply> {
    const namespace = this.#namespaces.resolve(query.get('namespace') ?? '')
    return jsonReply(
      200,
      this.#secrets.list(namespace).map((name) => ({ name, namespace })),
    )
  }

  async #change(request: SystemRequest, change: (name: SecretName, value: Uint8Array) => void): Promise<Reply> {
    const given = await decodedJson(request, body)
    const namespace = this.#namespaces.resolve(given.namespace || (request.query.get('namespace') ?? ''))
    const name = requireName('secret', given.name)
    if (request.method !== 'DELETE' && !given.value && !given.rawValue)
      throw new Refusal(400, 'value or rawValue is required')
    const value = given.rawValue ? Buffer.from(given.rawValue, 'base64') : Buffer.from(given.value ?? '')
    change({ name, namespace }, value)
    return new BufferReply(202)
  }
}

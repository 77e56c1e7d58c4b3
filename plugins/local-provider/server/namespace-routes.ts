import { BufferReply, jsonReply, type Reply, type SystemRequest, type SystemRoute } from '#core'
import type { FunctionTable } from '../functions/function-table.ts'
import { Refusal } from '../refusal.ts'
import { namespaceSchema, type Namespace } from '../state/namespace.ts'
import type { NamespaceTable } from '../state/namespace-table.ts'
import type { SecretStore } from '../state/secret-store.ts'
import type { StateWriter } from '../state/state-writer.ts'
import { decodedJson } from './request-json.ts'

/** What calls about namespaces work on. */
export interface NamespaceRoutesDeps {
  readonly namespaces: NamespaceTable
  readonly functions: FunctionTable
  readonly secrets: SecretStore
  readonly state: StateWriter
}

/** The part of the provider API that is about namespaces. */
export class NamespaceRoutes {
  readonly #deps: NamespaceRoutesDeps

  constructor(deps: NamespaceRoutesDeps) {
    this.#deps = deps
  }

  get routes(): readonly SystemRoute[] {
    const path = '/system/namespace/{name}'
    const { namespaces } = this.#deps
    return [
      { methods: ['GET'], path: '/system/namespaces', handle: async () => jsonReply(200, namespaces.names) },
      {
        methods: ['GET'],
        path,
        handle: async ({ params }) => jsonReply(200, shown(namespaces.get(params['name'] ?? ''))),
      },
      { methods: ['POST'], path, handle: (request) => this.#create(request) },
      { methods: ['PUT'], path, handle: (request) => this.#update(request) },
      { methods: ['DELETE'], path, handle: (request) => this.#remove(request) },
    ]
  }

  async #create(request: SystemRequest): Promise<Reply> {
    this.#deps.namespaces.create(await this.#named(request))
    await this.#deps.state.save()
    return new BufferReply(201)
  }

  async #update(request: SystemRequest): Promise<Reply> {
    this.#deps.namespaces.update(await this.#named(request))
    await this.#deps.state.save()
    return new BufferReply(202)
  }

  /** A namespace takes its functions and secrets along. */
  async #remove({ params }: SystemRequest): Promise<Reply> {
    const { namespaces, functions, secrets, state } = this.#deps
    const namespace = params['name'] ?? ''
    namespaces.remove(namespace)
    for (const name of functions.namesIn(namespace)) functions.remove({ name, namespace })
    secrets.removeNamespace(namespace)
    await state.save()
    return new BufferReply(202)
  }

  /** Clients name a new namespace in the body, and leave the path empty or repeat the name there. */
  async #named(request: SystemRequest): Promise<Namespace> {
    const namespace = await decodedJson(request, namespaceSchema)
    const inPath = request.params['name'] ?? ''
    if (inPath !== '' && inPath !== namespace.name) throw new Refusal(400, 'path and body name different namespaces')
    return namespace
  }
}

function shown({ name, labels, annotations }: Namespace): object {
  return { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }
}

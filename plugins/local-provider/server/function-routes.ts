import { z } from 'zod'
import { BufferReply, jsonReply, type Reply, type SystemRequest, type SystemRoute } from '#core'
import { decodeDeployment } from '../functions/deployment.ts'
import { parseFence } from '../functions/fence-file.ts'
import type { FunctionName, FunctionTable } from '../functions/function-table.ts'
import { Refusal } from '../refusal.ts'
import type { NamespaceTable } from '../state/namespace-table.ts'
import type { StateWriter } from '../state/state-writer.ts'
import { decodedJson, requestJson } from './request-json.ts'

const deletion = z.object({ functionName: z.string(), namespace: z.string().nullish() })
const scaling = z.object({
  serviceName: z.string().nullish(),
  replicas: z.number().int().nonnegative(),
  namespace: z.string().nullish(),
})

/** What management calls work on. */
export interface FunctionRoutesDeps {
  readonly functions: FunctionTable
  readonly namespaces: NamespaceTable
  readonly state: StateWriter
}

/** The part of the provider API that is about functions: list, deploy, update, delete, status, scale. */
export class FunctionRoutes {
  readonly #deps: FunctionRoutesDeps

  constructor(deps: FunctionRoutesDeps) {
    this.#deps = deps
  }

  get routes(): readonly SystemRoute[] {
    return [
      { methods: ['GET'], path: '/system/functions', handle: (request) => this.#list(request) },
      { methods: ['POST'], path: '/system/functions', handle: (request) => this.#deploy(request, false) },
      { methods: ['PUT'], path: '/system/functions', handle: (request) => this.#deploy(request, true) },
      { methods: ['DELETE'], path: '/system/functions', handle: (request) => this.#delete(request) },
      { methods: ['GET'], path: '/system/function/{name}', handle: (request) => this.#status(request) },
      { methods: ['POST'], path: '/system/scale-function/{name}', handle: (request) => this.#scale(request) },
    ]
  }

  async #list({ query }: SystemRequest): Promise<Reply> {
    const { functions, namespaces } = this.#deps
    return jsonReply(200, functions.list(namespaces.resolve(query.get('namespace') ?? '')))
  }

  async #deploy(request: SystemRequest, mustExist: boolean): Promise<Reply> {
    const { functions, namespaces, state } = this.#deps
    const deployment = decodeDeployment(await requestJson(request), namespaces.default)
    const { service: name, namespace } = deployment
    namespaces.resolve(namespace)
    if (mustExist && !functions.has({ name, namespace }))
      throw new Refusal(404, `there is no function "${name}" to update`)
    functions.deploy(deployment)
    await state.save()
    return new BufferReply(202)
  }

  async #delete(request: SystemRequest): Promise<Reply> {
    const { functions, state } = this.#deps
    const { functionName, namespace } = await decodedJson(request, deletion)
    const target = this.#target(functionName, namespace || request.query.get('namespace'))
    functions.remove(target)
    await state.save()
    return new BufferReply(202)
  }

  async #status({ params, query }: SystemRequest): Promise<Reply> {
    const target = this.#target(params['name'] ?? '', query.get('namespace'))
    return jsonReply(200, await this.#deps.functions.get(target).freshStatus(isTrue(query.get('usage'))))
  }

  async #scale(request: SystemRequest): Promise<Reply> {
    const { functions, state } = this.#deps
    const { serviceName, replicas, namespace } = await decodedJson(request, scaling)
    const named = request.params['name'] ?? ''
    if (serviceName && named && serviceName !== named) throw new Refusal(400, 'path and body name different functions')
    const target = this.#target(serviceName || named, namespace || request.query.get('namespace'))
    functions.scale(target, replicas, fenceOf(request))
    state.saveLater()
    return new BufferReply(202)
  }

  /** Names that no function can have are those of functions that do not exist. */
  #target(name: string, namespace: string | null | undefined): FunctionName {
    return { name, namespace: namespace || this.#deps.namespaces.default }
  }
}

function isTrue(text: string | null): boolean {
  return text === '1' || text === 'true'
}

function fenceOf({ request }: SystemRequest): number | undefined {
  const text = request.header('x-pilotlight-fence')
  if (text === undefined) return undefined
  const fence = parseFence(text)
  if (fence !== undefined) return fence
  throw new Refusal(400, 'X-Pilotlight-Fence is no whole number up to 2^52')
}

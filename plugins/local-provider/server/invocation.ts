import { BufferReply, GatewayError, textReply, wasCut, type GatewayRequest, type Reply } from '#core'
import type { FunctionTable } from '../functions/function-table.ts'
import type { LocalFunction } from '../functions/local-function.ts'
import { Refusal } from '../refusal.ts'
import type { NamespaceTable } from '../state/namespace-table.ts'

/** Where calls of functions begin. */
export const functionPrefix = '/function/'

/** Tells clients that the platform answered, not the function. */
const internalHeader = { 'X-OpenFaaS-Internal': 'proxy' }
const accepted = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Has calls of `/function/{name}[.{namespace}][/...]` answered, and words failures as OpenFaaS's providers do. */
export class Invocation {
  readonly #functions: FunctionTable
  readonly #namespaces: NamespaceTable

  constructor(deps: { functions: FunctionTable; namespaces: NamespaceTable }) {
    this.#functions = deps.functions
    this.#namespaces = deps.namespaces
  }

  /** @throws GatewayError `client_closed`, which nobody waits for */
  async answer(request: GatewayRequest): Promise<Reply> {
    if (!accepted.has(request.method)) return new BufferReply(405)
    const spelled = /^[^/?]*/.exec(request.target.slice(functionPrefix.length))?.[0] ?? ''
    const target = this.#find(spelled)
    if (target === undefined) return noEndpoints(spelled)
    try {
      return await target.answer({ request, rest: request.target.slice(functionPrefix.length + spelled.length) })
    } catch (error) {
      return failed(error, target.deployment.service)
    }
  }

  #find(spelled: string): LocalFunction | undefined {
    let name: string
    try {
      name = decodeURIComponent(spelled)
    } catch {
      return undefined
    }
    const dot = name.lastIndexOf('.')
    if (dot === -1) return this.#functions.find({ name, namespace: this.#namespaces.default })
    return this.#functions.find({
      name: name.slice(0, dot),
      namespace: name.slice(dot + 1) || this.#namespaces.default,
    })
  }
}

/** @throws GatewayError `client_closed` */
function failed(error: unknown, service: string): Reply {
  if (error instanceof Refusal)
    return error.status === 503 ? noEndpoints(service) : textReply(error.status, `${error.message}\n`)
  if (error instanceof GatewayError && error.code === 'client_closed') throw error
  // It was reached, and broke off: a sidecar that knows says so by cutting the connection.
  if (wasCut(error)) return new BufferReply(502)
  return textReply(500, `Can't reach service for: ${service}.\n`, internalHeader)
}

/** What an unknown function is called is not repeated beyond what a name may look like. */
function noEndpoints(name: string): Reply {
  return textReply(
    503,
    `No endpoints available for: ${/^[-\w.]{1,127}$/.test(name) ? name : 'unknown'}.\n`,
    internalHeader,
  )
}

import {
  functionIdentity,
  textReply,
  type Clock,
  type FunctionIdentity,
  type GatewayConfig,
  type ReplicaDirectory,
  type Reply,
  type SystemRequest,
} from '#core'
import type { FleetNews } from './fleet-news.ts'
import { firstText, jsonFields } from './json-fields.ts'
import { nameSegment, noSuchPath } from './names.ts'
import type { ProviderPass } from './provider-pass.ts'

const maxBodyBytes = 64 * 1024

/** What scaling works with. */
export interface ScaleFunctionDeps {
  readonly pass: ProviderPass
  readonly replicas: ReplicaDirectory
  readonly news: FleetNews
  readonly config: GatewayConfig
  readonly clock: Clock
}

/**
 * Answers `POST /system/scale-function/{name}`. Any number of replicas passes, 0 too. Providers differ in where they read
 * name and namespace from, so that path, query and body all say the same: the name of the path, and the namespace of the
 * body, else of the query, else the default one.
 */
export class ScaleFunction {
  readonly #deps: ScaleFunctionDeps

  constructor(deps: ScaleFunctionDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError `body_too_large`, `client_closed` */
  async handle(request: SystemRequest): Promise<Reply> {
    const name = request.params['name'] ?? ''
    const segment = nameSegment(name)
    if (segment === undefined) return noSuchPath()
    const fields = jsonFields(await request.request.body.bytes(maxBodyBytes))
    const replicas = fields?.['replicas']
    // A body without replicas is refused: reading it as 0 would stop a function by mistake.
    if (!isReplicaCount(replicas)) return textReply(400, 'Error unmarshalling request body\n')
    const { functionNamespace } = this.#deps.config
    const namespace = firstText(fields?.['namespace'], request.query.get('namespace'), functionNamespace)
    const query = new URLSearchParams(request.query)
    if (namespace !== '') query.set('namespace', namespace)
    const reply = await this.#deps.pass.reply(request, `system/scale-function/${segment}${withMark(query)}`, {
      body: JSON.stringify({ serviceName: name, replicas, namespace }),
      headers: { 'content-type': 'application/json' },
    })
    if (reply.status >= 200 && reply.status < 300) await this.#tell(functionIdentity(name, namespace), replicas)
    return reply
  }

  /** Tells all gateways what the provider has just accepted, so that the next call need not wait for the next listing. */
  #tell(identity: FunctionIdentity, desired: number): Promise<void> {
    const { replicas, clock, news } = this.#deps
    const held = replicas.get(identity.key)
    // With nothing to go on, the next call asks the provider.
    if (held === undefined || (desired > 0 && held.phase !== 'ready')) return news.forget(identity)
    const seen = { ...held, desired, observedAtMs: clock.nowMs() }
    if (desired > 0) return news.observe(seen)
    return news.observe({ ...seen, phase: 'zero', available: 0, reason: '', retryAtMs: 0, failures: 0 })
  }
}

function isReplicaCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function withMark(query: URLSearchParams): string {
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

import { StreamReply, type Reply, type SystemRequest, type SystemRoute } from '#core'
import type { FunctionTable } from '../functions/function-table.ts'
import { LogFollower, type LogQuery } from '../logs/log-follower.ts'
import type { LogLine } from '../logs/log-ring.ts'
import { Refusal } from '../refusal.ts'
import type { NamespaceTable } from '../state/namespace-table.ts'

/** `GET /system/logs`: the lines of one function, one JSON object per line. */
export class LogRoutes {
  readonly #functions: FunctionTable
  readonly #namespaces: NamespaceTable

  constructor(deps: { functions: FunctionTable; namespaces: NamespaceTable }) {
    this.#functions = deps.functions
    this.#namespaces = deps.namespaces
  }

  get routes(): readonly SystemRoute[] {
    return [{ methods: ['GET'], path: '/system/logs', handle: (request) => this.#read(request) }]
  }

  async #read({ query }: SystemRequest): Promise<Reply> {
    const name = query.get('name') ?? ''
    const namespace = query.get('namespace') || this.#namespaces.default
    const found = this.#functions.find({ name, namespace })
    if (found === undefined) throw new Refusal(404, `there is no function ${JSON.stringify(name.slice(0, 80))} to log`)
    const encode = ({ instance, timestampMs, text }: LogLine): string =>
      `${JSON.stringify({ name, namespace, instance, timestamp: new Date(timestampMs).toISOString(), text })}\n`
    const follower = new LogFollower(found.log.ring, logQuery(query), encode)
    return new StreamReply(200, ['Content-Type', 'application/x-ndjson'], follower, () => void follower.return())
  }
}

/** @throws Refusal 422 for what cannot be read */
function logQuery(query: URLSearchParams): LogQuery {
  return {
    instance: query.get('instance') || undefined,
    tail: tailOf(query.get('tail')),
    follow: query.get('follow') === 'true' || query.get('follow') === '1',
    sinceMs: sinceOf(query.get('since')),
  }
}

/** Clients send -1 or 0 for all lines. */
function tailOf(text: string | null): number | undefined {
  if (text === null || text === '' || text === '-1' || text === '0') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Refusal(422, 'tail is no whole number')
}

function sinceOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const sinceMs = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(sinceMs)) throw new Refusal(422, 'since is no RFC 3339 time')
  return sinceMs
}

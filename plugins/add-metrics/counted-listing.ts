import {
  BufferReply,
  functionIdentity,
  headerValue,
  removeHeader,
  textReply,
  type InvocationCounts,
  type Reply,
  type SystemHandler,
  type SystemMiddleware,
  type SystemRequest,
} from '#core'

const maxListBytes = 64 * 1024 * 1024
const neverCreated = '0001-01-01T00:00:00Z' // Go's zero time, which clients decode

/** What {@link CountedListing} needs. */
export interface CountedListingDeps {
  readonly counts: InvocationCounts
  /** Where counts come from before the gateway's own; undefined without Prometheus. */
  readonly prometheus:
    | { in(namespaces: Iterable<string>): Promise<ReadonlyMap<string, number> | undefined> }
    | undefined
  /** Namespace of functions that the provider lists without one. */
  readonly functionNamespace: string
}

/**
 * Puts `invocationCount` into the answers of `GET /system/functions`: Prometheus' count where it has one, else that of this
 * gateway. Every other field stays as it is and where it is, unknown ones included.
 */
export class CountedListing implements SystemMiddleware {
  readonly prefix = '/system/functions'
  readonly #deps: CountedListingDeps

  constructor(deps: CountedListingDeps) {
    this.#deps = deps
  }

  async handle(request: SystemRequest, next: SystemHandler): Promise<Reply> {
    const reply = await next(request)
    const isListing = request.method === 'GET' && request.path === this.prefix
    if (!isListing || reply.status !== 200 || headerValue(reply.headers, 'content-encoding') !== undefined) return reply
    const list = decodeList(await reply.bytes(maxListBytes))
    if (list === undefined) return textReply(500, 'Unable to parse list of functions from provider\n')
    const counted = new BufferReply(200, {}, JSON.stringify(list === null ? null : await this.#withCounts(list)))
    removeHeader(reply.headers, 'content-length')
    counted.headers.push(...reply.headers)
    return counted
  }

  async #withCounts(list: readonly unknown[]): Promise<readonly unknown[]> {
    const functions = list.filter(isFunction)
    if (functions.length === 0) return list
    const counts = await this.#countsOf(functions)
    return list.map((one) => {
      if (!isFunction(one)) return one
      const counted = { ...one, invocationCount: counts.get(this.#keyOf(one)) ?? 0 }
      return one.createdAt ? counted : { ...counted, createdAt: neverCreated }
    })
  }

  /** The gateway's own counts are not asked for while Prometheus knows them all: with workers, they come from other processes. */
  async #countsOf(functions: readonly ListedFunction[]): Promise<ReadonlyMap<string, number>> {
    const { prometheus, counts } = this.#deps
    const scraped = await prometheus?.in(functions.map((one) => this.#namespaceOf(one)))
    if (scraped !== undefined && functions.every((one) => scraped.has(this.#keyOf(one)))) return scraped
    return new Map([...(await counts.totals()), ...(scraped ?? [])])
  }

  #keyOf(one: ListedFunction): string {
    return functionIdentity(one.name, this.#namespaceOf(one)).key
  }

  #namespaceOf({ namespace }: ListedFunction): string {
    return typeof namespace === 'string' && namespace !== '' ? namespace : this.#deps.functionNamespace
  }
}

/** The fields of a listed function that matter here. */
interface ListedFunction {
  readonly name: string
  readonly namespace?: unknown
  readonly createdAt?: unknown
}

function isFunction(one: unknown): one is ListedFunction {
  return typeof one === 'object' && one !== null && 'name' in one && typeof one.name === 'string'
}

/** Returns the list, `null` as providers in Go send an empty one, or undefined when it is none. */
function decodeList(bytes: Uint8Array): readonly unknown[] | null | undefined {
  try {
    const list: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return list === null || Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

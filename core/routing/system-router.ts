import type { GatewayRequest } from '../http/gateway-request.ts'
import { BufferReply, textReply } from '../pipeline/buffer-reply.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { SystemHandler, SystemMiddleware, SystemRequest, SystemRoute } from './system-route.ts'

interface Compiled {
  readonly path: string
  readonly pattern: RegExp
  readonly names: readonly string[]
  /** Handler by method, with its middleware around it. */
  readonly handlers: Map<string, SystemHandler>
}

/** Finds the route of a request outside `/function/`. Paths are matched decoded, exactly, trailing slash included. */
export class SystemRouter {
  readonly #routes: readonly Compiled[]

  /** @throws Error when two routes claim one method of one path */
  constructor(routes: readonly SystemRoute[], layers: readonly SystemMiddleware[]) {
    const byPath = new Map<string, Compiled>()
    for (const route of routes) {
      const compiled = byPath.get(route.path) ?? compile(route.path)
      byPath.set(route.path, compiled)
      const handler = wrapped(route, layers)
      for (const method of route.methods) {
        if (compiled.handlers.has(method)) throw new Error(`two plugins serve ${method} ${route.path}`)
        compiled.handlers.set(method, handler)
      }
    }
    this.#routes = [...byPath.values()]
  }

  /** Answers a request, with 404 or 405 where no route does. */
  async handle(request: GatewayRequest): Promise<Reply> {
    const queryAt = request.target.indexOf('?')
    const path = decodePath(queryAt === -1 ? request.target : request.target.slice(0, queryAt))
    const search = queryAt === -1 ? '' : request.target.slice(queryAt)
    if (path === undefined) return notFound()
    for (const route of this.#routes) {
      const match = route.pattern.exec(path)
      if (match === null) continue
      const handler = route.handlers.get(request.method)
      if (handler === undefined) return new BufferReply(405, { Allow: [...route.handlers.keys()].join(', ') })
      const params = Object.fromEntries(route.names.map((name, index) => [name, match[index + 1] ?? '']))
      return handler(systemRequest(request, path, { params, search }))
    }
    return notFound()
  }
}

function notFound(): Reply {
  return textReply(404, '404 page not found\n')
}

function systemRequest(
  request: GatewayRequest,
  path: string,
  { params, search }: Pick<SystemRequest, 'params' | 'search'>,
): SystemRequest {
  return { request, method: request.method, path, params, search, query: new URLSearchParams(search) }
}

function wrapped(route: SystemRoute, layers: readonly SystemMiddleware[]): SystemHandler {
  return layers
    .filter(({ prefix }) => route.path.startsWith(prefix))
    .reduceRight<SystemHandler>(
      (next, layer) => (request) => layer.handle(request, next),
      (request) => route.handle(request),
    )
}

function compile(path: string): Compiled {
  const names: string[] = []
  const source = path
    .split(/(\{[a-zA-Z]+\}|\*$)/)
    .map((part) => {
      if (part === '*') return '.*'
      if (!part.startsWith('{')) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
      names.push(part.slice(1, -1))
      return '([^/]*)'
    })
    .join('')
  return { path, names, pattern: new RegExp(`^${source}$`, 's'), handlers: new Map() }
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

import type { GatewayRequest } from '../http/gateway-request.ts'
import type { Reply } from '../pipeline/reply.ts'

/** A request that matched a system route. */
export interface SystemRequest {
  readonly request: GatewayRequest
  readonly method: string
  /** Percent-decoded path. */
  readonly path: string
  /** Values of the `{name}` parts of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Raw query, with its `?`, or empty. */
  readonly search: string
  readonly query: URLSearchParams
}

/** Answers a system request. */
export type SystemHandler = (request: SystemRequest) => Promise<Reply>

/** A path outside `/function/` that a plugin or core serves. */
export interface SystemRoute {
  /** Upper-case methods; another method on the same path is answered 405. */
  readonly methods: readonly string[]
  /**
   * Exact path; `{name}` stands for one segment (which may be empty as the last one), a last `*` for any rest:
   * `/system/functions`, `/system/function/{name}`, `/ui/*`.
   */
  readonly path: string
  handle: SystemHandler
}

/** Wraps the system routes whose path starts with `prefix`. Order: the plugins' order, first outermost. */
export interface SystemMiddleware {
  readonly prefix: string
  handle(request: SystemRequest, next: SystemHandler): Promise<Reply>
}

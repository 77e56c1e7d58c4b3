import { GatewayError } from '../errors/gateway-error.ts'
import { BufferReply } from '../pipeline/buffer-reply.ts'

/**
 * Turns a failure into the answer a client sees. The only place that chooses how errors look.
 *
 * `upstream_failed` is an empty 502, which OpenFaaS clients know; every other condition is a problem document (RFC 9457)
 * with `code`, and `Retry-After` where another try may help. Causes never appear.
 */
export function rescue(error: unknown): BufferReply {
  const known = GatewayError.from(error)
  if (known.code === 'upstream_failed') return new BufferReply(502)
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' }
  const retryAfter = known.retryAfterSeconds ?? (known.status === 503 || known.status === 429 ? 1 : undefined)
  if (retryAfter !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfter)))
  const problem = {
    type: 'about:blank',
    title: known.title,
    status: known.status,
    detail: detailOf(known),
    code: known.code,
  }
  return new BufferReply(known.status, headers, `${JSON.stringify(problem)}\n`)
}

function detailOf(error: GatewayError): string {
  return error.code === 'internal' || error.code === 'plugin_failed'
    ? 'the gateway failed to handle this request; its log says why'
    : error.message
}

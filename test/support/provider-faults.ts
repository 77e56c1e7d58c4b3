import type { ServerResponse } from 'node:http'

/** The kinds of calls that a provider receives. */
export type CallKind = 'status' | 'scale' | 'list' | 'namespaces' | 'info' | 'health' | 'invoke' | 'other'

/**
 * How a provider can let its caller down.
 * - `hang`: takes the call, never answers
 * - `reset`: resets the connection before a byte of the answer
 * - `reset-midway`: resets the connection inside the body
 * - `error-500`: 500 with a text that names an internal address
 * - `html`: 200 with a page of a proxy that is in the way
 * - `half-json`: 200, whole by HTTP, whose JSON stops half-way
 * - `ignore`: 202 without doing anything
 * - `refuse-400`: 400, as providers refuse a wish for good
 */
export type Fault = 'hang' | 'reset' | 'reset-midway' | 'error-500' | 'html' | 'half-json' | 'ignore' | 'refuse-400'

/** Text of the 500, to look for where it must not appear. */
export const internalText = 'dial tcp 10.0.0.17:6443: connect: connection refused'

/** Lets the caller of one request down. */
export function letDown(fault: Fault, response: ServerResponse): void {
  switch (fault) {
    case 'hang':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'reset-midway':
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' })
      response.write('[{"name":', () => response.socket?.resetAndDestroy())
      return
    case 'error-500':
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end(internalText)
      return
    case 'html':
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html><body>Welcome to the proxy</body></html>')
      return
    case 'half-json':
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('[{"name":"x","replicas":')
      return
    case 'ignore':
      response.writeHead(202).end()
      return
    case 'refuse-400':
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('replicas not acceptable')
  }
}

import { request as requestPlainly, type RequestOptions } from 'node:http'
import { request as requestSecurely } from 'node:https'
import type { Socket } from 'node:net'
import { buildConnector, errors, Pool, type Dispatcher } from 'undici'

/** A pool's options, and how long a new connection may take. */
export interface ProxiedPoolOptions {
  /** Milliseconds; of a tunnel each half, to the proxy's consent and from there to the end of the TLS handshake. */
  readonly connectTimeoutMs: number
  readonly pool: Omit<Pool.Options, 'connect'>
  /** Wraps what makes connections. */
  readonly watched?: (connect: buildConnector.connector) => buildConnector.connector
}

/**
 * Makes a pool of connections to one origin through a forward proxy: for plain HTTP requests in absolute form, for HTTPS
 * a tunnel per connection. undici's own ProxyAgent is not used, because it joins header lines of one name into the last of
 * them, and gives the pools inside it none of the options.
 * @see RFC 9112 section 3.2.2, RFC 9110 section 9.3.6
 */
export function createProxiedPool(proxy: URL, origin: URL, options: ProxiedPoolOptions): Dispatcher {
  const direct = buildConnector({ timeout: options.connectTimeoutMs, allowH2: false })
  const { watched = (connect) => connect } = options
  if (origin.protocol === 'https:') {
    const connect = watched(tunnelConnector({ proxy, origin, timeoutMs: options.connectTimeoutMs }, direct))
    return new Pool(origin.origin, { ...options.pool, connect })
  }
  // undici names TLS servers after the Host header, which is the origin's; empty makes it the proxy's own name.
  const connect = watched((target, callback) => direct({ ...target, servername: '' }, callback))
  return new Pool(proxy.origin, { ...options.pool, connect }).compose(inAbsoluteForm(proxy, origin))
}

function inAbsoluteForm(proxy: URL, origin: URL): Dispatcher.DispatcherComposeInterceptor {
  const added = { Host: origin.host, ...credentials(proxy) }
  const addedLines = Object.entries(added).flat()
  return (dispatch) => (call, handler) => {
    const headers = Array.isArray(call.headers)
      ? [...addedLines, ...call.headers]
      : { ...added, ...(call.headers as Record<string, string>) } // the other form that this program's callers use
    return dispatch({ ...call, path: `${origin.origin}${call.path}`, headers }, handler)
  }
}

interface Tunnel {
  readonly proxy: URL
  readonly origin: URL
  readonly timeoutMs: number
}

function tunnelConnector(tunnel: Tunnel, secure: buildConnector.connector): buildConnector.connector {
  const { proxy, origin, timeoutMs } = tunnel
  const authority = `${origin.hostname}:${origin.port || '443'}`
  return (target, callback) => {
    const request = (proxy.protocol === 'https:' ? requestSecurely : requestPlainly)(proxy, {
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...credentials(proxy) },
      agent: false,
      timeout: timeoutMs,
    } satisfies RequestOptions)
    request.once('connect', (response, socket: Socket) => {
      socket.setTimeout(0)
      if (response.statusCode === 200) return secure({ ...target, httpSocket: socket }, callback)
      socket.destroy()
      callback(new Error(`the proxy refused a tunnel with status ${response.statusCode}`), null)
    })
    request.once('timeout', () => request.destroy(new errors.ConnectTimeoutError('the proxy made no tunnel in time')))
    request.once('error', (error) => callback(error, null))
    request.end()
  }
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

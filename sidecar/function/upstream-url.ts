import { GatewayError } from '#core/lean'
import type { FunctionSettings } from './function-settings.ts'

/** Where a server listens. */
export interface UpstreamAddress {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** `http://host:port` */
  readonly origin: string
  /** Put before the path of every call; empty, or starts with `/` and does not end in one. */
  readonly basePath: string
}

/** Names and addresses that never leave this machine: `localhost`, 127.0.0.0/8 and ::1 (RFC 6761 section 6.3, RFC 6890). */
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Reads where a server that is not the sidecar's own listens.
 *
 * Another host must be allowed explicitly. Calls are measured, limited and let in for the instance that this sidecar reports: a server
 * elsewhere may be called past it, has its own life and address, and plain HTTP to it crosses the network.
 *
 * @throws GatewayError `config_invalid`
 */
export function frontedUpstream({
  upstream,
  allowsRemoteUpstream,
}: Pick<FunctionSettings, 'upstream' | 'allowsRemoteUpstream'>): UpstreamAddress {
  if (upstream === undefined) {
    throw invalid('there is nothing to run or to front; say fprocess, a command after --, or upstream_url')
  }
  return allowsRemoteUpstream ? addressOf(upstream) : loopbackUpstream(upstream)
}

/**
 * Reads where a server that was started here listens.
 * @throws GatewayError `config_invalid` for anything but a plain HTTP URL of loopback
 */
export function loopbackUpstream(url: URL): UpstreamAddress {
  const address = addressOf(url)
  if (loopbackHost.test(url.hostname)) return address
  throw invalid(
    `upstream_url "${address.origin}" is not on this host; the function beside a sidecar listens on 127.0.0.1`,
  )
}

function addressOf({ protocol, hostname, port, pathname, username, search }: URL): UpstreamAddress {
  if (protocol !== 'http:') throw invalid(`upstream_url must begin with http://, not ${protocol}//`)
  if (username !== '' || search !== '') throw invalid('upstream_url must be a host, a port and a path, nothing else')
  const number = port === '' ? 80 : Number(port)
  if (number === 0) throw invalid('upstream_url has the port 0, on which nobody listens')
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: number,
    origin: `http://${hostname}:${number}`,
    basePath: pathname.replace(/\/+$/, ''),
  }
}

function invalid(message: string): GatewayError {
  return new GatewayError('config_invalid', message)
}

import { isIPv6 } from 'node:net'
import { isAbsolute } from 'node:path'
import type { RedisAddress, RedisCredentials, RedisTls, RedisTopology, SentinelTopology } from './redis-topology.ts'

/** A topology, or why the text is no Redis URL: one sentence that quotes nothing of it, because any part may be a secret. */
export type ParsedRedisUrl =
  | { readonly topology: RedisTopology; readonly fault?: never }
  | { readonly topology?: never; readonly fault: string }

type Kind = RedisTopology['kind']

interface Parts {
  readonly kind: Kind
  readonly isSecure: boolean
  readonly authority: string
  readonly path: string
  /** Decoded, by name. */
  readonly query: ReadonlyMap<string, string>
}

const urlShape = /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const hostName = /^[\w.-]+$/
const primaryNameShape = /^[\w.-]+$/
const tlsParameters = ['tls_ca', 'tls_cert', 'tls_key', 'tls_servername']
const sentinelParameters = ['sentinel_username', 'sentinel_password']
const kinds: Readonly<Record<string, Kind>> = { '+sentinel': 'sentinel', '+cluster': 'cluster' }
const forms =
  'redis://host:6379/0, redis+sentinel://host1:26379,host2:26379/name or redis+cluster://host1:6379,host2:6379, each with ' +
  'user:password@ before the hosts if wanted, and rediss instead of redis for TLS'

/** Ends parsing; only this file sees it. */
class UrlFault extends Error {}

/**
 * Reads a Redis URL.
 *
 * - `redis://redis`, `redis://:secret@redis:6379/2`: one server; port 6379 and database 0 unless said otherwise
 * - `redis+sentinel://user:secret@s1:26379,s2,s3/primary/0?sentinel_password=other`: the primary of that name; user and password are
 *   those of the data servers, `sentinel_username` and `sentinel_password` those of the Sentinels, which by default want none
 * - `redis+cluster://10.0.0.1:7000,[fd00::1]:7000`: a Cluster, from any of its nodes; it has database 0 only
 * - `rediss://...`, `rediss+sentinel://...`, `rediss+cluster://...`: the same over TLS, to the Sentinels too
 *
 * User and password are percent-encoded where they contain `%`, `/`, `?`, `#` or `@`. With TLS, the query may name absolute paths
 * of PEM files, `tls_ca` (trusted instead of the public certificates), `tls_cert` and `tls_key` (own certificate), and
 * `tls_servername`, the name that certificates must carry when it is not the host.
 */
export function parseRedisUrl(text: string): ParsedRedisUrl {
  try {
    return { topology: toTopology(split(text)) }
  } catch (error) {
    if (error instanceof UrlFault) return { fault: error.message }
    throw error
  }
}

function split(text: string): Parts {
  const match = /\s/.test(text) ? null : urlShape.exec(text)
  if (match === null) throw new UrlFault(`expected a Redis URL: ${forms}`)
  const [, scheme = '', suffix = '', authority = '', path = '', query = ''] = match
  // A slash, question mark or hash in a password would end it: what follows would be shown as path or query.
  if (`${path}${query}`.includes('@')) {
    throw new UrlFault('user and password must be percent-encoded: / as %2F, ? as %3F, # as %23, @ as %40, % as %25')
  }
  const kind = kinds[suffix] ?? 'standalone'
  return { kind, isSecure: scheme === 'rediss', authority, path, query: toQuery(query) }
}

function toTopology(parts: Parts): RedisTopology {
  checkParameters(parts)
  const at = parts.authority.lastIndexOf('@')
  const addresses = parts.authority.slice(at + 1).split(',')
  const common = {
    credentials: at === -1 ? undefined : toCredentials(parts.authority.slice(0, at)),
    tls: parts.isSecure ? toTls(parts.query) : undefined,
  }
  const { kind } = parts
  if (kind === 'sentinel') return { kind, ...toSentinels(parts, addresses), ...common }
  const nodes = addresses.map((address) => toAddress(address, 6379))
  if (kind === 'cluster') {
    if (!/^0?$/.test(parts.path)) throw new UrlFault('a Cluster has database 0 only: leave the path out')
    return { kind, nodes, ...common }
  }
  const [address, ...others] = nodes
  if (address === undefined || others.length > 0) {
    throw new UrlFault('several hosts need redis+sentinel:// or redis+cluster://')
  }
  return { kind, address, database: toDatabase(parts.path), ...common }
}

function toSentinels(
  { path, query }: Parts,
  addresses: readonly string[],
): Omit<SentinelTopology, 'kind' | 'credentials' | 'tls'> {
  const [name = '', database = '', ...rest] = path.split('/')
  const primaryName = decode(name)
  if (!primaryNameShape.test(primaryName) || rest.length > 0) {
    throw new UrlFault('expected the name of the primary, and a database if wanted, after the Sentinels: /name/0')
  }
  const sentinels = addresses.map((address) => toAddress(address, 26_379))
  return { sentinels, primaryName, database: toDatabase(database), sentinelCredentials: toSentinelCredentials(query) }
}

/** Not as a form is read: there a plus, which passwords have, is a space. */
function toQuery(text: string): Parts['query'] {
  const pairs = text.split('&').filter((pair) => pair !== '')
  const query = new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      return equals === -1 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
    }),
  )
  if (query.size < pairs.length) throw new UrlFault('a parameter of the query is given twice')
  return query
}

function checkParameters({ kind, isSecure, query }: Parts): void {
  const names = [...query.keys()]
  const known = [...tlsParameters, ...sentinelParameters]
  if (names.some((name) => !known.includes(name))) {
    throw new UrlFault(`unknown parameter in the query; known are ${known.join(', ')}`)
  }
  const empty = names.find((name) => query.get(name) === '')
  if (empty !== undefined) throw new UrlFault(`${empty} is empty`)
  const forTls = names.find((name) => tlsParameters.includes(name))
  if (forTls !== undefined && !isSecure) throw new UrlFault(`${forTls} needs TLS: use rediss instead of redis`)
  const forSentinels = names.find((name) => sentinelParameters.includes(name))
  if (forSentinels !== undefined && kind !== 'sentinel') throw new UrlFault(`${forSentinels} needs redis+sentinel://`)
}

function toCredentials(userInfo: string): RedisCredentials {
  const colon = userInfo.indexOf(':')
  const password = colon === -1 ? '' : decode(userInfo.slice(colon + 1))
  if (password === '') throw new UrlFault('a user without a password; a password alone is written as :password@')
  return { username: decode(userInfo.slice(0, colon)), password }
}

function toSentinelCredentials(query: Parts['query']): RedisCredentials | undefined {
  const username = query.get('sentinel_username') ?? ''
  const password = query.get('sentinel_password')
  if (password !== undefined) return { username, password }
  if (username !== '') throw new UrlFault('sentinel_username needs sentinel_password')
  return undefined
}

function toAddress(text: string, defaultPort: number): RedisAddress {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? []
  const host = bracketed ?? plain ?? ''
  const isHost = bracketed === undefined ? hostName.test(host) : isIPv6(host)
  if (!isHost)
    throw new UrlFault('a host is missing or not a host name, an IPv4 address or an IPv6 address in brackets')
  const port = portText === undefined ? defaultPort : toInteger(portText)
  if (port === undefined || port < 1 || port > 65_535)
    throw new UrlFault('a port is not a number from 1 to 65535 (an IPv6 address needs brackets)')
  return { host, port }
}

function toDatabase(text: string): number {
  const database = text === '' ? 0 : toInteger(text)
  if (database === undefined) throw new UrlFault('the database is not a number')
  return database
}

function toInteger(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

function toTls(query: Parts['query']): RedisTls {
  const [caFile, certFile, keyFile] = ['tls_ca', 'tls_cert', 'tls_key'].map((name) => {
    const path = query.get(name)
    if (path !== undefined && !isAbsolute(path)) throw new UrlFault(`${name} must be an absolute path`)
    return path
  })
  if ((certFile === undefined) !== (keyFile === undefined)) throw new UrlFault('tls_cert and tls_key need each other')
  return { caFile, certFile, keyFile, servername: query.get('tls_servername') }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UrlFault('user, password or name is not percent-encoded: a % is written as %25')
  }
}

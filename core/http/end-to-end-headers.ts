import type { HeaderList } from './header-list.ts'

/** @see RFC 9110 section 7.6.1; `trailer` is kept, because trailers are passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Lengths of the hop-by-hop names: a name of another length needs no closer look. */
export const headerNameLengths: ReadonlySet<number> = new Set([...hopByHop].map((name) => name.length))

/** Whether a header (lower-case name) concerns one connection only: always, or because `Connection` names it. */
export function isHopByHop(lowerName: string, named: ReadonlySet<string> | undefined): boolean {
  return hopByHop.has(lowerName) || named?.has(lowerName) === true
}

/** Lower-case names listed in a `Connection` header, or undefined when it lists nothing beyond the usual. */
export function namedInConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined) return undefined
  const lower = connection.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return undefined
  const names = lower.split(',').map((name) => name.trim())
  return new Set(names.filter((name) => name !== 'close' && name !== 'keep-alive' && name !== 'upgrade'))
}

/**
 * Returns the end-to-end headers of a message: hop-by-hop ones and those named in `Connection` are left out, and so are
 * `host` and `expect` of a request, which concern the next hop only.
 */
export function endToEndHeaders(raw: readonly string[], connection: string | undefined): HeaderList {
  const named = namedInConnection(connection)
  const kept: HeaderList = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const lower = name.toLowerCase()
    if (isHopByHop(lower, named) || lower === 'host' || lower === 'expect') continue
    kept.push(name, raw[i + 1] ?? '')
  }
  return kept
}

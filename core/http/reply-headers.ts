import { headerNameLengths, isHopByHop, namedInConnection } from './end-to-end-headers.ts'
import type { GatewayRequest } from './gateway-request.ts'
import { removeHeader, type HeaderList } from './header-list.ts'

/** Headers of an answer as an engine parsed them: lower-case names. */
type ParsedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Returns the headers of an upstream's answer that the client shall see, in their case and order. `Trailer` is kept only
 * where trailers can follow: node:http refuses to send it on a body that is not chunked.
 *
 * @param raw `[name, value, ...]`; buffers are decoded as Latin-1 (RFC 9110 section 5.5)
 */
export function replyHeaders(
  raw: readonly (string | Buffer)[],
  parsed: ParsedHeaders,
  request: GatewayRequest,
): HeaderList {
  const connection = parsed['connection']
  const kept = endToEnd(raw, namedInConnection(typeof connection === 'string' ? connection : connection?.join(',')))
  if (parsed['trailer'] !== undefined && !canCarryTrailers(parsed, request)) removeHeader(kept, 'trailer')
  return kept
}

/** Returns the trailers of an answer, or undefined when there are none. */
export function replyTrailers(raw: readonly (string | Buffer)[] | undefined | null): HeaderList | undefined {
  return raw === undefined || raw === null || raw.length === 0 ? undefined : endToEnd(raw, undefined)
}

function endToEnd(raw: readonly (string | Buffer)[], named: ReadonlySet<string> | undefined): HeaderList {
  const kept: HeaderList = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = text(raw[i])
    if (named !== undefined || headerNameLengths.has(name.length)) {
      if (isHopByHop(name.toLowerCase(), named)) continue
    }
    kept.push(name, text(raw[i + 1]))
  }
  return kept
}

function text(piece: string | Buffer | undefined): string {
  if (typeof piece === 'string') return piece
  return piece === undefined ? '' : piece.toString('latin1')
}

function canCarryTrailers(parsed: ParsedHeaders, request: GatewayRequest): boolean {
  return parsed['transfer-encoding'] !== undefined && request.method !== 'HEAD' && request.message.httpVersionMinor > 0
}

import { isHopByHop, headerNameLengths, namedInConnection } from './end-to-end-headers.ts'
import type { GatewayRequest } from './gateway-request.ts'
import type { HeaderList } from './header-list.ts'
import { ownHeaderPrefix } from './own-headers.ts'

/** What the gateway adds to a request. */
export interface UpstreamHeaderFacts {
  readonly callId: string
  /** Unix time in nanoseconds, as decimal text. */
  readonly startTime: string
  /** Whether `X-Forwarded-*` of the client are kept and appended to, or replaced. */
  readonly trustForwarded: boolean
}

const replaced = new Set([
  'host',
  'expect',
  'x-call-id',
  'x-start-time',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])
/** Lengths of the names that are not simply passed on: a name of another length needs no closer look. */
const notableLengths: ReadonlySet<number> = new Set([...headerNameLengths, ...[...replaced].map((name) => name.length)])

const hyphen = 0x2d

/**
 * Returns the headers for the upstream: the client's end-to-end headers in their case and order, `X-Pilotlight-*` left out, then `X-Call-Id`,
 * `X-Start-Time` and `X-Forwarded-For` (peer appended, without a port), `-Host` and `-Proto` (set when absent).
 */
export function upstreamHeaders(request: GatewayRequest, facts: UpstreamHeaderFacts): HeaderList {
  const raw = request.rawHeaders
  const named = namedInConnection(request.header('connection'))
  const headers: HeaderList = []
  const forwarded: Forwarded = { for: '', host: '', proto: '' }
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (named !== undefined || isNotable(name)) {
      const lower = name.toLowerCase()
      if (facts.trustForwarded) note(forwarded, lower, value)
      if (endsHere(lower) || isHopByHop(lower, named)) continue
    }
    headers.push(name, value)
  }
  addForwarded(headers, forwarded, request)
  headers.push('X-Call-Id', facts.callId, 'X-Start-Time', facts.startTime)
  return headers
}

/** Whether a header needs a closer look: by the length of its name, or because it begins with a letter and a hyphen. */
function isNotable(name: string): boolean {
  return notableLengths.has(name.length) || (name.charCodeAt(1) === hyphen && name.length > ownHeaderPrefix.length)
}

function endsHere(lowerName: string): boolean {
  return replaced.has(lowerName) || lowerName.startsWith(ownHeaderPrefix)
}

interface Forwarded {
  for: string
  host: string
  proto: string
}

function note(forwarded: Forwarded, lower: string, value: string): void {
  if (lower === 'x-forwarded-for') forwarded.for = forwarded.for === '' ? value : `${forwarded.for}, ${value}`
  else if (lower === 'x-forwarded-host') forwarded.host = value
  else if (lower === 'x-forwarded-proto') forwarded.proto = value
}

function addForwarded(headers: HeaderList, forwarded: Forwarded, request: GatewayRequest): void {
  const peer = request.remoteAddress
  headers.push('X-Forwarded-For', forwarded.for === '' ? peer : `${forwarded.for}, ${peer}`)
  headers.push('X-Forwarded-Host', forwarded.host || request.header('host') || '')
  headers.push('X-Forwarded-Proto', forwarded.proto || 'http')
}

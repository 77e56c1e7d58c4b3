import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { ScriptedProvider } from './scripted-provider.ts'
import type { BodyPlan } from './soak-bytes.ts'
import { type End, fastEnd } from './soak-pace.ts'
import { bodyOf, digestFrom } from './soak-transfer.ts'

/** How the function's end of some bodies moves, by the query parameter `end`. */
export type NamedEnds = ReadonlyMap<string, End>

/**
 * Adds functions that move bodies: `sink` answers with the digest of what it got, `source` sends the body that the query
 * names, `echo` sends back what comes while it comes. All are fast, but for calls whose `end` is named.
 */
export function addBodyFunctions(provider: ScriptedProvider, ends: NamedEnds = new Map()): void {
  provider.add({ name: 'sink' }).handler = (request, response) => {
    const end = endIn(request, ends)
    attempt(response, async () => void response.end(JSON.stringify(await digestFrom(request, end))))
  }
  provider.add({ name: 'source' }).handler = (request, response) => {
    const { plan, framing } = wishIn(request)
    if (framing === 'length') response.setHeader('Content-Length', plan.bytes)
    attempt(response, () => pipeline(bodyOf(plan, endIn(request, ends)), response))
  }
  provider.add({ name: 'echo' }).handler = (request, response) => {
    const length = request.headers['content-length']
    if (length !== undefined) response.setHeader('Content-Length', length)
    attempt(response, () => pipeline(request, response))
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(url.split('?')[1])
}

function endIn(request: IncomingMessage, ends: NamedEnds): End {
  return ends.get(queryOf(request).get('end') ?? '') ?? fastEnd
}

function wishIn(request: IncomingMessage): { readonly plan: BodyPlan; readonly framing: string } {
  const query = queryOf(request)
  const plan = { bytes: Number(query.get('bytes')), pieceBytes: Number(query.get('piece')) }
  return { plan, framing: query.get('framing') ?? '' }
}

/** A function whose caller has gone has nobody to tell. */
function attempt(response: ServerResponse, work: () => Promise<void>): void {
  work().catch(() => response.destroy())
}

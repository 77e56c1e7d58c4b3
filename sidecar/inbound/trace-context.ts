import { headerValue, type HeaderList, type Random, removeHeader } from '#core/lean'

const wellFormed = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/**
 * Leaves the trace context of a call as it is; where there is none, or none that anybody could continue, the call gets a new one, so that
 * the lines and spans of a function have something in common.
 *
 * @param sampledRatio share of new contexts that say `sampled`
 * @see https://www.w3.org/TR/trace-context/ sections 3.2 and 4.3
 */
export function ensureTraceContext(headers: HeaderList, random: Random, sampledRatio: number): void {
  const given = headerValue(headers, 'traceparent')
  if (given !== undefined && wellFormed.test(given)) return
  if (given !== undefined) removeHeader(headers, 'traceparent')
  removeHeader(headers, 'tracestate') // it belongs to the context that is not there
  const flags = random() < sampledRatio ? '01' : '00'
  headers.push('traceparent', `00-${hex(random, 16)}-${hex(random, 8)}-${flags}`)
}

/** Random bytes, never all of them 0. */
function hex(random: Random, bytes: number): string {
  let text = ''
  for (let i = 0; i < bytes; i += 4)
    text += Math.floor(1 + random() * 0xffff_ffff)
      .toString(16)
      .padStart(8, '0')
  return text
}

import type { IncomingMessage } from 'node:http'
import { type BufferReply, textReply } from '../pipeline/buffer-reply.ts'

/**
 * Returns the refusal of a request that node's parser lets through although two readers could disagree about it, or
 * undefined for an acceptable one.
 * @see RFC 9112 sections 3.2 (Host), 6.1 and 6.3 (framing); RFC 9110 section 2.5 (versions)
 */
export function refusal(message: IncomingMessage, maxHeaderLines: number): BufferReply | undefined {
  const { rawHeaders, headers, httpVersionMajor, httpVersionMinor } = message
  if (rawHeaders.length > 2 * maxHeaderLines) {
    return textReply(431, `Request Header Fields Too Large: more than ${maxHeaderLines} lines\n`)
  }
  if (httpVersionMajor !== 1) return textReply(400, 'Bad Request: this HTTP version is not supported\n')
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersionMinor === 0)) {
    return textReply(400, 'Bad Request: unsupported transfer coding\n')
  }
  if (headers.host === undefined ? httpVersionMinor > 0 : repeats(rawHeaders, 'host')) {
    return textReply(400, 'Bad Request: exactly one Host header is required\n')
  }
  return undefined
}

function repeats(rawHeaders: readonly string[], lowerName: string): boolean {
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === lowerName.length && name.toLowerCase() === lowerName) seen += 1
  }
  return seen > 1
}

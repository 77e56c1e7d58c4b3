import type { ForwardCall } from '../http/forwarder.ts'
import { tokenOctets } from './octets.ts'

/** Controls, line breaks above all, and what Latin-1 cannot carry. */
const unsendableInValue = /[^\t\x20-\x7e\x80-\xff]/
const unsendableInTarget = /[^\x21-\x7e]/

/** What concerns this connection only, or is made here. */
const ownNames = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])
/** A name of another length needs no closer look. */
const ownLengths: ReadonlySet<number> = new Set([...ownNames].map((name) => name.length))

/** Methods whose requests say so when they have no body. @see RFC 9110 section 8.6 */
const saysWithoutBody = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Returns the head of a request, as text whose characters are bytes (Latin-1). Host, framing and connection are said by
 * this head, whatever the headers of the call say about them.
 *
 * @param host what `Host` says
 * @param keepsConnection whether the connection shall outlive the call
 * @throws Error when method, path or a header holds what could be read as another header or request
 * @see RFC 9112 sections 3.2, 6 and 9.3
 */
export function requestHead(call: ForwardCall, host: string, keepsConnection: boolean): string {
  const { request, headers } = call
  let head = `${requestLine(request.method, call.path)}Host: ${host}\r\n`
  let saysLength = saysWithoutBody.has(request.method)
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    if (ownLengths.has(name.length)) {
      const lower = name.toLowerCase()
      saysLength ||= lower === 'content-length'
      if (ownNames.has(lower)) continue
    }
    head += headerLine(name, value)
  }
  return `${head}${framing(request.body.length, saysLength)}Connection: ${keepsConnection ? 'keep-alive' : 'close'}\r\n\r\n`
}

function headerLine(name: string, value: string): string {
  if (!isToken(name) || unsendableInValue.test(value)) throw new Error('a header cannot be sent')
  return `${name}: ${value}\r\n`
}

function requestLine(method: string, path: string): string {
  if (!isToken(method)) throw new Error('the method cannot be sent')
  if (!path.startsWith('/') || unsendableInTarget.test(path)) throw new Error('the path cannot be sent')
  return `${method} ${path} HTTP/1.1\r\n`
}

/** @param saysLength whether the length of an empty body is said */
function framing(length: number | undefined, saysLength: boolean): string {
  if (length === undefined) return 'Transfer-Encoding: chunked\r\n'
  return length > 0 || saysLength ? `Content-Length: ${length}\r\n` : ''
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (tokenOctets[text.charCodeAt(i)] !== 1) return false
  }
  return text.length > 0
}

import type { HeaderList } from '../http/header-list.ts'
import { MalformedAnswer } from './malformed-answer.ts'
import { octet, textOctets, tokenOctets } from './octets.ts'

/** Lines of a message, up to and including the blank line at their end. */
export interface Section {
  readonly bytes: Buffer
  /** Where the header lines begin. */
  readonly start: number
  /** Behind the blank line. */
  readonly end: number
}

/**
 * Reads header or trailer lines as `[name, value, ...]`, white space around values removed. Refuses folded lines, white
 * space before the colon, controls, and lines that do not end with CR LF.
 * @throws MalformedAnswer
 * @see RFC 9112 section 5
 */
export function readFields({ bytes, start, end }: Section, maxLines: number): HeaderList {
  const text = bytes.toString('latin1', start, end)
  const fields: HeaderList = []
  const linesEnd = end - 2
  for (let at = start; at < linesEnd;) {
    if (fields.length === 2 * maxLines) throw new MalformedAnswer(`it has more than ${maxLines} header lines`)
    const colon = endOfToken(bytes, at)
    if (colon === at || bytes[colon] !== octet.colon) throw new MalformedAnswer('a header line has no valid name')
    const valueStart = skipBlanks(bytes, colon + 1)
    const lineEnd = endOfText(bytes, valueStart)
    if (bytes[lineEnd] !== octet.carriageReturn || bytes[lineEnd + 1] !== octet.lineFeed) {
      throw new MalformedAnswer('a header has an invalid value')
    }
    const valueEnd = trimBlanks(bytes, valueStart, lineEnd)
    fields.push(text.slice(at - start, colon - start), text.slice(valueStart - start, valueEnd - start))
    at = lineEnd + 2
  }
  return fields
}

/** Returns where text that may stand in a value or reason phrase ends. */
export function endOfText(bytes: Buffer, start: number): number {
  let at = start
  while (textOctets[bytes[at] ?? 0] === 1) at += 1
  return at
}

function endOfToken(bytes: Buffer, start: number): number {
  let at = start
  while (tokenOctets[bytes[at] ?? 0] === 1) at += 1
  return at
}

function skipBlanks(bytes: Buffer, start: number): number {
  let at = start
  while (isBlank(bytes[at])) at += 1
  return at
}

function trimBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end
  while (at > start && isBlank(bytes[at - 1])) at -= 1
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === octet.space || byte === octet.tab
}

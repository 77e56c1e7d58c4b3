import type { HeaderList } from '../http/header-list.ts'
import { MalformedAnswer } from './malformed-answer.ts'

/** What the headers of an answer say about the framing of its body and the fate of the connection. */
export interface Framing {
  /** Bytes by `Content-Length`, or undefined without one. */
  readonly contentLength: number | undefined
  readonly isChunked: boolean
  /** Values of all lines of these names, joined by commas. */
  readonly connection: string | undefined
  readonly keepAlive: string | undefined
  readonly trailer: string | undefined
}

interface Lines {
  contentLength: string | undefined
  transferEncoding: string | undefined
  connection: string | undefined
  keepAlive: string | undefined
  trailer: string | undefined
}

/**
 * Reads the framing. One length in one line, or one coding, `chunked`: nothing else can be told apart by all readers.
 * @throws MalformedAnswer
 * @see RFC 9112 sections 6.1 to 6.3
 */
export function readFraming(rawHeaders: HeaderList): Framing {
  const lines = linesOf(rawHeaders)
  const { transferEncoding, connection, keepAlive, trailer } = lines
  const isChunked = transferEncoding !== undefined
  if (isChunked && transferEncoding.toLowerCase() !== 'chunked') {
    throw new MalformedAnswer('its transfer coding is not known')
  }
  const contentLength = lines.contentLength === undefined ? undefined : lengthOf(lines.contentLength)
  return { contentLength, isChunked, connection, keepAlive, trailer }
}

function linesOf(rawHeaders: HeaderList): Lines {
  const lines: Lines = {
    contentLength: undefined,
    transferEncoding: undefined,
    connection: undefined,
    keepAlive: undefined,
    trailer: undefined,
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const key = keyOf(rawHeaders[i] ?? '')
    if (key !== undefined) lines[key] = joined(lines[key], rawHeaders[i + 1] ?? '')
  }
  return lines
}

/** A name of another length needs no closer look. */
function keyOf(name: string): keyof Lines | undefined {
  switch (name.length) {
    case 7:
      return name.toLowerCase() === 'trailer' ? 'trailer' : undefined
    case 10:
      return keyOfTen(name.toLowerCase())
    case 14:
      return name.toLowerCase() === 'content-length' ? 'contentLength' : undefined
    case 17:
      return name.toLowerCase() === 'transfer-encoding' ? 'transferEncoding' : undefined
    default:
      return undefined
  }
}

function keyOfTen(lower: string): keyof Lines | undefined {
  if (lower === 'connection') return 'connection'
  return lower === 'keep-alive' ? 'keepAlive' : undefined
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier},${value}`
}

/** Two lines are joined with a comma, and are no number any more. */
function lengthOf(value: string): number {
  if (!/^\d+$/.test(value)) throw new MalformedAnswer('its Content-Length is not one number')
  const length = Number(value)
  if (!Number.isSafeInteger(length)) throw new MalformedAnswer('its Content-Length is too large')
  return length
}

import type { HeaderList } from '../http/header-list.ts'
import { endOfText, readFields, type Section } from './fields.ts'
import { type Framing, readFraming } from './framing.ts'
import { MalformedAnswer } from './malformed-answer.ts'
import { octet } from './octets.ts'

/** The head of an answer, and what it says about its body and the connection. */
export interface AnswerHead extends Framing {
  readonly status: number
  readonly statusText: string
  /** Whether the answer is HTTP/1.0, whose connections end unless both sides say otherwise. */
  readonly isHttp10: boolean
  /** As received: `[name, value, ...]`. */
  readonly rawHeaders: HeaderList
}

/** Length of `HTTP/1.1 200`. */
const statusEnd = 12
const versionPrefix = Buffer.from('HTTP/1.')

/**
 * Reads the head of an answer. Takes nothing that two readers could understand differently.
 * @throws MalformedAnswer
 * @see RFC 9112 sections 4 (status line), 5 (fields), 6.1 and 6.3 (framing)
 */
export function readHead({ bytes, start, end }: Section, maxLines: number): AnswerHead {
  const status = statusOf(bytes, start)
  const lineEnd = endOfText(bytes, start + statusEnd)
  if (bytes[lineEnd] !== octet.carriageReturn || bytes[lineEnd + 1] !== octet.lineFeed) {
    throw new MalformedAnswer('its reason phrase is invalid')
  }
  const rawHeaders = readFields({ bytes, start: lineEnd + 2, end }, maxLines)
  const statusText = bytes.toString('latin1', start + statusEnd + 1, Math.max(lineEnd, start + statusEnd + 1))
  const isHttp10 = bytes[start + 7] === 0x30
  const head = { status, statusText, isHttp10, rawHeaders, ...readFraming(rawHeaders) }
  if (head.isChunked && (isHttp10 || head.contentLength !== undefined)) {
    throw new MalformedAnswer('it is chunked and has another framing, too')
  }
  return head
}

/** Whether bytes can be the beginning of an answer, as far as they go. */
export function beginsLikeHead(bytes: Buffer, { start, end }: Pick<Section, 'start' | 'end'>): boolean {
  for (let i = 0; i < versionPrefix.length && start + i < end; i += 1) {
    if (bytes[start + i] !== versionPrefix[i]) return false
  }
  return true
}

function statusOf(bytes: Buffer, start: number): number {
  const minor = bytes[start + 7]
  if (!beginsLikeHead(bytes, { start, end: start + statusEnd }) || (minor !== 0x30 && minor !== 0x31)) {
    throw new MalformedAnswer('it is neither HTTP/1.1 nor HTTP/1.0')
  }
  const behind = bytes[start + statusEnd]
  const isSeparated = bytes[start + 8] === octet.space && (behind === octet.space || behind === octet.carriageReturn)
  const status = 100 * digit(bytes[start + 9]) + 10 * digit(bytes[start + 10]) + digit(bytes[start + 11])
  if (!isSeparated || !(status >= 100)) throw new MalformedAnswer('its status is not a number of three digits')
  return status
}

function digit(byte = 0): number {
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : Number.NaN
}

import type { AnswerHead } from './answer-head.ts'

/** Milliseconds before the end that an upstream announces from which on its connection is not used again. */
const marginMs = 1_000

/**
 * Whether an answer leaves its connection for another call. Not where framing accompanies a status that never has a body:
 * some senders append one.
 * @see RFC 9112 section 9.3
 */
export function isPersistent({ status, isHttp10, isChunked, contentLength, connection }: AnswerHead): boolean {
  if (status === 204 && (isChunked || (contentLength ?? 0) > 0)) return false
  if (connection === undefined) return !isHttp10
  const options = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((option) => option.trim()),
  )
  return !options.has('close') && (!isHttp10 || options.has('keep-alive'))
}

/**
 * Milliseconds for which a connection may lie idle by the word of its upstream (`Keep-Alive: timeout=5`), with a margin for
 * what is on its way; undefined when it says nothing.
 */
export function idleHintMs({ keepAlive }: AnswerHead): number | undefined {
  if (keepAlive === undefined) return undefined
  const seconds = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(keepAlive)?.[1]
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1000 - marginMs)
}

/** Positions of the first and last byte of a part. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * Reads a `Range` header for content of `length` bytes: undefined when the whole is to be sent, which holds for absent, malformed
 * and multiple ranges too.
 * @see RFC 9110 section 14.2
 */
export function byteRange(header: string | undefined, length: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (from === '') return to === '' ? undefined : lastBytes(Number(to), length)
  const first = Number(from)
  const last = to === '' ? length - 1 : Number(to)
  if (first >= length) return 'unsatisfiable'
  return last < first ? undefined : { first, last: Math.min(last, length - 1) }
}

function lastBytes(count: number, length: number): ByteRange | 'unsatisfiable' {
  return count === 0 || length === 0 ? 'unsatisfiable' : { first: Math.max(0, length - count), last: length - 1 }
}

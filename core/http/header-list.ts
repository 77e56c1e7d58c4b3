/** Headers as they travel: `[name, value, name, value, ...]`, names in the case they were sent, repeats kept. */
export type HeaderList = string[]

/** First value of the header `lowerName` (lower case), or undefined. */
export function headerValue(headers: readonly string[], lowerName: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    if (name?.length === lowerName.length && name.toLowerCase() === lowerName) return headers[i + 1]
  }
  return undefined
}

/** Removes every occurrence of the header `lowerName` (lower case), in place. */
export function removeHeader(headers: HeaderList, lowerName: string): void {
  let kept = 0
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (name.toLowerCase() === lowerName) continue
    headers[kept++] = name
    headers[kept++] = headers[i + 1] ?? ''
  }
  headers.length = kept
}

/** Replaces every occurrence of a header by one with this value, in place. */
export function setHeader(headers: HeaderList, name: string, value: string): void {
  removeHeader(headers, name.toLowerCase())
  headers.push(name, value)
}

/** The same headers as node:http takes trailers: one pair per line. */
export function headerPairs(headers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? ''])
  return pairs
}

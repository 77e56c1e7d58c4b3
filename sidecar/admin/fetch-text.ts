import { type Clock, request } from '#core/lean'

/** What is fetched, and how much of it. */
export interface FetchTextOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Until the last byte, milliseconds. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/**
 * Fetches a text over a connection of its own.
 * @throws Error that says why there is none: not reached, late, too large, or not 200
 */
export function fetchText(clock: Clock, { url, headers, timeoutMs, maxBytes }: FetchTextOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, headers: { ...headers, connection: 'close' } })
    const settle = (error: Error | undefined, text = ''): void => {
      timer[Symbol.dispose]()
      outgoing.destroy()
      if (error === undefined) resolve(text)
      else reject(error)
    }
    const timer = clock.after(timeoutMs, () => settle(new Error(`no whole answer within ${timeoutMs} ms`)))
    outgoing.on('error', settle)
    outgoing.once('response', (incoming) => {
      const pieces: Buffer[] = []
      let size = 0
      incoming.on('error', settle)
      incoming.on('data', (piece: Buffer) => {
        size += piece.byteLength
        if (size > maxBytes) settle(new Error(`more than ${maxBytes} bytes`))
        else pieces.push(piece)
      })
      incoming.once('end', () => settle(undefined, Buffer.concat(pieces).toString('utf8')))
      if (incoming.statusCode !== 200) settle(new Error(`status ${incoming.statusCode}`))
    })
    outgoing.end()
  })
}

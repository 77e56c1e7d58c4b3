import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestHead } from '../../../core/http1/request-head.ts'
import { someRequest } from '../http/some-request.ts'
import { bytesOf } from './read-answer.ts'

interface SeenByNode {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly rawHeaders: readonly string[]
}

/** What node's server makes of the bytes, up to the end of the connection: requests, or what is wrong. */
function seenByNode(bytes: Buffer): Promise<readonly (SeenByNode | string)[]> {
  const { promise, resolve } = Promise.withResolvers<readonly (SeenByNode | string)[]>()
  const seen: (SeenByNode | string)[] = []
  const server = createServer({ requireHostHeader: false, connectionsCheckingInterval: 1e9 })
  const socket = new Duplex({ read: () => {}, write: (_bytes, _encoding, done) => done(), final: (done) => done() })
  server.on('request', ({ method, url, rawHeaders }) => {
    seen.push({ method, url, rawHeaders })
    setImmediate(() => resolve(seen)) // by then the parser has read all there is
  })
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    seen.push(String(error.code))
    resolve(seen)
  })
  server.emit('connection', socket)
  socket.push(bytes)
  return promise.finally(() => {
    socket.destroy()
    server.close()
  })
}

const nasty = fc.constantFrom(
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '\u0000',
  '\u007f',
  '\u010a',
  '\u010d',
  '\u00e9',
  ',',
  ';',
  '%0d%0a',
  'GET / HTTP/1.1',
)
const word = fc.constantFrom(
  'a',
  'X-Own',
  'value',
  '/path',
  '?q=1',
  '#',
  '*',
  'chunked',
  '0',
  'Content-Length',
  'Transfer-Encoding',
  'Host',
  'connection',
)
const text = fc
  .array(fc.oneof({ arbitrary: word, weight: 6 }, { arbitrary: nasty, weight: 1 }), { maxLength: 4 })
  .map((parts) => parts.join(''))
const method = fc.oneof(
  fc.constantFrom('GET', 'POST', 'DELETE', 'PROPFIND'),
  fc.constantFrom('GE T', 'GET\r\n', '', 'get\n'),
)
const calls = fc.record({
  method,
  path: text.map((rest) => `/${rest}`),
  lines: fc.array(fc.tuple(text, text), { maxLength: 4 }),
})

const own = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding', 'upgrade'])

describe('requestHead', () => {
  it('is read by node as the call it was made from, or not made at all', async () => {
    let made = 0
    await fc.assert(
      fc.asyncProperty(calls, async ({ method: verb, path, lines }) => {
        const { request } = someRequest({ method: verb })
        const call = { request, origin: 'http://f:80', path, headers: lines.flat(), timeoutMs: 0 }
        let head: string
        try {
          head = requestHead(call, 'f:80', true)
        } catch {
          return
        }
        made += 1

        const [only, ...others] = await seenByNode(bytesOf(head))

        expect(others).toEqual([])
        expect(only).toMatchObject({ method: verb, url: path })
        const given = lines
          .filter(([name]) => !own.has(name.toLowerCase()))
          .map(([name, value]) => [name, value.trim()])
        const { rawHeaders } = only as SeenByNode // as the line before says
        const read = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []))
        expect(read.filter(([name]) => !own.has(name?.toLowerCase() ?? ''))).toEqual(given)
        expect(read.filter(([name]) => name?.toLowerCase() === 'host')).toEqual([['Host', 'f:80']])
      }),
      { numRuns: 400 },
    )
    expect(made).toBeGreaterThan(20)
  })
})

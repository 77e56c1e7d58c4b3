import { describe, expect, it } from 'vitest'
import { header } from '../../support/raw-http.ts'
import { type FunctionPath, useFunctionPath } from './function-path.ts'

/** A request that hides inside the one before it when two readers disagree about where that one ends. */
const hidden = 'GET /function/echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

const head = 'POST /function/echo HTTP/1.1\r\nHost: x\r\n'
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`

/** Refused by their head: the function must see nothing at all. */
const ambiguousHeads: readonly { what: string; bytes: string }[] = [
  {
    what: 'Content-Length and Transfer-Encoding',
    bytes: `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    what: 'Transfer-Encoding and Content-Length',
    bytes: `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  },
  { what: 'two equal Content-Lengths', bytes: `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello` },
  { what: 'two different Content-Lengths', bytes: `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello` },
  { what: 'a list of Content-Lengths', bytes: `${head}Content-Length: 5, 5\r\n\r\nhello` },
  { what: 'Content-Length with a sign', bytes: `${head}Content-Length: +5\r\n\r\nhello` },
  { what: 'a negative Content-Length', bytes: `${head}Content-Length: -5\r\n\r\nhello` },
  { what: 'a hexadecimal Content-Length', bytes: `${head}Content-Length: 0x5\r\n\r\nhello` },
  { what: 'an empty Content-Length', bytes: `${head}Content-Length:\r\n\r\nhello` },
  { what: 'a Content-Length with a space inside', bytes: `${head}Content-Length: 5 5\r\n\r\nhello` },
  { what: 'a Content-Length beyond 2^64', bytes: `${head}Content-Length: 18446744073709551621\r\n\r\nhello` },
  { what: 'an unknown transfer coding', bytes: `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n` },
  { what: 'gzip before chunked', bytes: `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { what: 'identity after chunked', bytes: `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n` },
  { what: 'chunked twice', bytes: `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { what: 'identity alone', bytes: `${head}Transfer-Encoding: identity\r\n\r\nhello` },
  { what: 'chunked in quotes', bytes: `${head}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n` },
  { what: 'chunked after a vertical tab', bytes: `${head}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n` },
  {
    what: 'Transfer-Encoding on HTTP/1.0',
    bytes: 'POST /function/echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  { what: 'a folded header', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n' },
  { what: 'a header folded by a tab', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n' },
  { what: 'a folded Transfer-Encoding', bytes: `${head}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n` },
  { what: 'a fold before the first header', bytes: 'GET /function/echo HTTP/1.1\r\n Host: y\r\nHost: x\r\n\r\n' },
  { what: 'bare LF everywhere', bytes: 'GET /function/echo HTTP/1.1\nHost: x\n\n' },
  { what: 'bare LF after the request line', bytes: 'GET /function/echo HTTP/1.1\nHost: x\r\n\r\n' },
  { what: 'bare LF after a header', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\nA: b\r\n\r\n' },
  { what: 'bare LF as the blank line', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\n\n' },
  {
    what: 'bare CR in a header',
    bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\rTransfer-Encoding: chunked\r\n\r\n',
  },
  { what: 'NUL in a header', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n' },
  { what: 'NUL in a header name', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n' },
  { what: 'a space before the colon', bytes: `${head}Content-Length : 5\r\n\r\nhello` },
  { what: 'a header without a name', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n' },
  { what: 'a header without a colon', bytes: 'GET /function/echo HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n' },
  { what: 'two Hosts', bytes: 'GET /function/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n' },
  { what: 'no Host', bytes: 'GET /function/echo HTTP/1.1\r\n\r\n' },
  { what: 'HTTP/0.9 in the request line', bytes: 'GET /function/echo HTTP/0.9\r\nHost: x\r\n\r\n' },
  { what: 'HTTP/2.0 in the request line', bytes: 'GET /function/echo HTTP/2.0\r\nHost: x\r\n\r\n' },
  { what: 'HTTP/1.2 in the request line', bytes: 'GET /function/echo HTTP/1.2\r\nHost: x\r\n\r\n' },
  { what: 'no version', bytes: 'GET /function/echo\r\n\r\n' },
  { what: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { what: 'a space inside the target', bytes: 'GET /function/echo /x HTTP/1.1\r\nHost: x\r\n\r\n' },
  { what: 'an unknown method', bytes: 'FOO /function/echo HTTP/1.1\r\nHost: x\r\n\r\n' },
  { what: 'a method in lower case', bytes: 'get /function/echo HTTP/1.1\r\nHost: x\r\n\r\n' },
]

/** Refused inside their body: the function may have seen the head, but never a whole request. */
const ambiguousBodies: readonly { what: string; bytes: string }[] = [
  { what: 'a chunk size that is no number', bytes: `${chunked}zz\r\nhello\r\n0\r\n\r\n` },
  { what: 'a chunk size with 0x', bytes: `${chunked}0x5\r\nhello\r\n0\r\n\r\n` },
  { what: 'a chunk size with a sign', bytes: `${chunked}+5\r\nhello\r\n0\r\n\r\n` },
  { what: 'a chunk size beyond 64 bits', bytes: `${chunked}fffffffffffffffff\r\nhello\r\n0\r\n\r\n` },
  { what: 'an empty chunk size', bytes: `${chunked}\r\nhello\r\n0\r\n\r\n` },
  { what: 'bare LF after a chunk size', bytes: `${chunked}5\nhello\r\n0\r\n\r\n` },
  { what: 'bare LF after a chunk', bytes: `${chunked}5\r\nhello\n0\r\n\r\n` },
  { what: 'bare LF in a chunk extension', bytes: `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n` },
  { what: 'a chunk longer than its size', bytes: `${chunked}3\r\nhello\r\n0\r\n\r\n` },
  { what: 'a space before the chunk size', bytes: `${chunked} 5\r\nhello\r\n0\r\n\r\n` },
  { what: 'a folded trailer', bytes: `${chunked}0\r\nA: b\r\n c\r\n\r\n` },
]

/** Target of a call that is made last, so that everything before it has reached the function if it ever will. */
const flushing = '/function/echo/last'

async function invocationsSince(path: FunctionPath, start: number): Promise<string[]> {
  await path.call('GET', flushing)
  const later = path.provider.calls.slice(start).filter(({ kind, target }) => kind === 'invoke' && target !== flushing)
  return later.map(({ target }) => target)
}

describe('request that two readers could take differently', () => {
  const path = useFunctionPath('h1')

  it.each(ambiguousHeads)('is refused: $what', async ({ bytes }) => {
    const before = path().provider.calls.length
    await using client = await path().open()
    await client.send(bytes + hidden)

    const answer = await client.response()

    expect(answer.status).toBe(400)
    expect(await client.closed()).not.toBe('open')
    expect(client.received.toString()).toBe('')
    expect(await invocationsSince(path(), before)).toEqual([])
  })

  it.each(ambiguousBodies)('is cut: $what', async ({ bytes }) => {
    const before = path().provider.calls.length
    const ends: string[] = []
    path().serve((request, response) => {
      request.resume()
      request.once('end', () => {
        ends.push(request.url ?? '')
        response.end()
      })
    })
    await using client = await path().open()
    await client.send(bytes + hidden)

    await client.closed()

    expect((await client.response()).status).toBe(400)
    expect(client.received.toString()).toBe('')
    expect(await invocationsSince(path(), before)).not.toContain('/function/echo/smuggled')
    expect(ends).toEqual([flushing])
  })

  it('is refused without a trace in the answers before it', async () => {
    path().serve((request, response) => {
      request.resume()
      response.end('fine')
    })
    await using client = await path().open()
    await client.send('GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n')
    expect((await client.response()).body.toString()).toBe('fine')

    await client.send(`${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`)

    expect((await client.response()).status).toBe(400)
    expect(await client.closed()).not.toBe('open')
  })

  it('is refused with a body that says why, as text', async () => {
    await using client = await path().open()
    await client.send('GET /function/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')

    const answer = await client.response()

    expect(header(answer, 'content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.body.toString()).toContain('Bad Request')
  })
})

describe('request head that is too large', () => {
  const path = useFunctionPath('h1')

  it.each([
    { what: '2,100 header lines', lines: `${'a: b\r\n'.repeat(2_100)}Content-Length: 3\r\n` },
    { what: 'a header beyond 1 MiB', lines: `A: ${'v'.repeat(1_200_000)}\r\n` },
    { what: 'many headers beyond 1 MiB', lines: `A: ${'v'.repeat(10_000)}\r\n`.repeat(130) },
  ])('is a 431: $what', async ({ lines }) => {
    const before = path().provider.count('invoke')
    await using client = await path().open()
    await client.send(`POST /function/echo HTTP/1.1\r\nHost: x\r\n${lines}\r\nabc`)

    const answer = await client.response()

    expect(answer.status).toBe(431)
    expect(await client.closed()).not.toBe('open')
    expect(path().provider.count('invoke')).toBe(before)
  })

  it('is a 431 for a target beyond 1 MiB', async () => {
    await using client = await path().open()
    await client.send(`GET /function/echo?${'q'.repeat(1_200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)

    expect((await client.response()).status).toBe(431)
  })
})

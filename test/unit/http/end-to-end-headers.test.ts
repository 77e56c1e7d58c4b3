import { describe, expect, it } from 'vitest'
import { endToEndHeaders } from '#core'
import { namedInConnection } from '../../../core/http/end-to-end-headers.ts'

describe('endToEndHeaders', () => {
  it('leaves out what concerns one connection only, in any case', () => {
    const raw = [
      ...[
        'Connection',
        'keep-alive',
        'Keep-Alive',
        'timeout=5',
        'PROXY-AUTHENTICATE',
        'Basic',
        'proxy-authorization',
        'x',
      ],
      ...['Proxy-Connection', 'close', 'TE', 'trailers', 'Transfer-Encoding', 'chunked', 'Upgrade', 'h2c'],
      ...['Host', 'a.test', 'Expect', '100-continue', 'X-Kept', 'yes'],
    ]

    expect(endToEndHeaders(raw, 'keep-alive')).toEqual(['X-Kept', 'yes'])
  })

  it('keeps the others with their case, order and repeats', () => {
    const raw = ['Cookie', 'a=1', 'x-B', '2', 'Cookie', 'b=2', 'Trailer', 'X-Sum', 'Content-Length', '3']

    expect(endToEndHeaders(raw, undefined)).toEqual(raw)
  })

  it('leaves out what Connection names', () => {
    const raw = ['X-One', '1', 'x-two', '2', 'X-Three', '3']

    expect(endToEndHeaders(raw, 'close, x-one ,X-TWO')).toEqual(['X-Three', '3'])
  })
})

describe('namedInConnection', () => {
  it.each([undefined, 'keep-alive', 'Close', 'UPGRADE'])('is undefined for the usual: %s', (connection) => {
    expect(namedInConnection(connection)).toBeUndefined()
  })

  it.each([
    ['keep-alive, Upgrade', []],
    ['X-A', ['x-a']],
    ['close,x-a, X-B', ['x-a', 'x-b']],
  ])('lists what "%s" names beyond the usual', (connection, names) => {
    expect([...(namedInConnection(connection) ?? [])].filter((name) => name !== '')).toEqual(names)
  })
})

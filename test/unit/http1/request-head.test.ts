import { describe, expect, it } from 'vitest'
import { requestHead } from '../../../core/http1/request-head.ts'
import { someRequest, type SomeRequest } from '../http/some-request.ts'

interface Written extends SomeRequest {
  readonly path?: string
  readonly lines?: readonly string[]
  readonly keeps?: boolean
}

function written({ path = '/', lines = [], keeps = true, ...decided }: Written): string {
  const { request } = someRequest(decided)
  return requestHead({ request, origin: 'http://f:80', path, headers: [...lines], timeoutMs: 0 }, 'f:80', keeps)
}

const framings: readonly (Written & { readonly what: string; readonly says: readonly string[] })[] = [
  { what: 'a GET without a body', method: 'GET', says: [] },
  { what: 'a DELETE without a body', method: 'DELETE', says: [] },
  { what: 'a POST without a body', method: 'POST', says: ['Content-Length: 0'] },
  { what: 'a PUT without a body', method: 'PUT', says: ['Content-Length: 0'] },
  {
    what: 'a DELETE that says it has no body',
    method: 'DELETE',
    headers: { 'content-length': '0' },
    lines: ['Content-Length', '0'],
    says: ['Content-Length: 0'],
  },
  { what: 'a body of 5 bytes', method: 'GET', headers: { 'content-length': '5' }, says: ['Content-Length: 5'] },
  {
    what: 'a length written in another way',
    method: 'POST',
    headers: { 'content-length': '005' },
    lines: ['content-length', '005'],
    says: ['Content-Length: 5'],
  },
  {
    what: 'a chunked body',
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked' },
    lines: ['Content-Length', '5', 'Transfer-Encoding', 'chunked'],
    says: ['Transfer-Encoding: chunked'],
  },
]

const unsendable: readonly (Written & { readonly what: string })[] = [
  { what: 'a line break in the path', path: '/a HTTP/1.1\r\nX: y' },
  { what: 'a space in the path', path: '/a b' },
  { what: 'a NUL in the path', path: '/a\u0000' },
  { what: 'a character beyond Latin-1 in the path, whose low byte is a line feed', path: '/\u010a' },
  { what: 'a byte beyond ASCII in the path', path: '/caf\u00e9' },
  { what: 'a path that is none', path: 'x:1' },
  { what: 'an empty path', path: '' },
  { what: 'a line break in the method', method: 'GET / HTTP/1.1\r\nX: y\r\n\r\nGET' },
  { what: 'an empty method', method: '' },
  { what: 'a line break in a value', lines: ['X', 'a\r\nY: b'] },
  { what: 'a bare line feed in a value', lines: ['X', 'a\nY: b'] },
  { what: 'a bare carriage return in a value', lines: ['X', 'a\rY: b'] },
  { what: 'a NUL in a value', lines: ['X', 'a\u0000'] },
  { what: 'a DEL in a value', lines: ['X', 'a\u007f'] },
  { what: 'a character beyond Latin-1 in a value, whose low byte is a line feed', lines: ['X', 'a\u010aY: b'] },
  { what: 'a line break in a name', lines: ['X: y\r\nZ', 'a'] },
  { what: 'a space in a name', lines: ['X ', 'a'] },
  { what: 'a colon in a name', lines: ['X:', 'a'] },
  { what: 'a character beyond ASCII in a name', lines: ['X\u00e9', 'a'] },
  { what: 'an empty name', lines: ['', 'a'] },
]

describe('requestHead', () => {
  it('writes the lines of the call between its own, in their case and order', () => {
    const head = written({
      method: 'PATCH',
      path: '/a%2Fb?c=/',
      lines: ['X-CaMeL', 'a', 'x-two', '1', 'x-two', '', 'X', 'caf\u00e9\tb'],
    })

    expect(head).toBe(
      'PATCH /a%2Fb?c=/ HTTP/1.1\r\nHost: f:80\r\nX-CaMeL: a\r\nx-two: 1\r\nx-two: \r\nX: caf\u00e9\tb\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
    )
  })

  it.each(framings)('frames $what', ({ says, ...call }) => {
    const lines = written(call).split('\r\n')

    expect(lines.filter((line) => /^(content-length|transfer-encoding)/i.test(line))).toEqual(says)
  })

  it('lets nobody else say what concerns the connection', () => {
    const own = [
      'Host',
      'evil',
      'connection',
      'X-Own',
      'Keep-Alive',
      'timeout=1',
      'Upgrade',
      'h2c',
      'Expect',
      '100-continue',
    ]

    expect(written({ lines: own })).toBe('GET / HTTP/1.1\r\nHost: f:80\r\nConnection: keep-alive\r\n\r\n')
  })

  it('announces that the connection will be closed', () => {
    expect(written({ keeps: false })).toBe('GET / HTTP/1.1\r\nHost: f:80\r\nConnection: close\r\n\r\n')
  })

  it.each(unsendable)('refuses $what', (call) => {
    expect(() => written(call)).toThrow(/cannot be sent/)
  })
})

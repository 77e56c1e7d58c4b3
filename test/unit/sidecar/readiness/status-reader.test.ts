import { describe, expect, it } from 'vitest'
import { StatusReader } from '../../../../sidecar/readiness/status-reader.ts'

function statusOf(...pieces: readonly string[]): number | 'malformed' | undefined {
  const reader = new StatusReader()
  return pieces.map((piece) => reader.take(Buffer.from(piece, 'latin1'))).at(-1)
}

describe('StatusReader', () => {
  it.each([
    ['an answer', 'HTTP/1.1 200 OK\r\n', 200],
    ['an answer without a reason', 'HTTP/1.0 503 \r\n', 503],
    ['an answer without the space before the reason', 'HTTP/1.1 204\r\nA: b\r\n\r\n', 204],
    [
      'an answer after informational ones',
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n',
      200,
    ],
    ['what has begun well', 'HTTP/1.1 20', undefined],
    ['what has begun so far', 'HT', undefined],
    ['an informational answer alone', 'HTTP/1.1 102 Processing\r\nA: b\r\n', undefined],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'malformed'],
    ['another version', 'HTTP/2.0 200 OK\r\n', 'malformed'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nA: b\r\n', 'malformed'],
    ['no number', 'HTTP/1.1 2x0 OK\r\n', 'malformed'],
    ['four digits', 'HTTP/1.1 2000 OK\r\n', 'malformed'],
    ['an unheard-of class', 'HTTP/1.1 600 OK\r\n', 'malformed'],
    ['a control character in the reason', 'HTTP/1.1 200 O\0K\r\n', 'malformed'],
    ['a line that is too long', `HTTP/1.1 200 ${'x'.repeat(2_000)}\r\n`, 'malformed'],
    ['a line that does not end', `HTTP/1.1 200 ${'x'.repeat(2_000)}`, 'malformed'],
    ['a head that does not end', `HTTP/1.1 103 Hints\r\n${'A: b\r\n'.repeat(4_000)}`, 'malformed'],
  ])('reads %s', (_what, text, status) => {
    expect(statusOf(text)).toBe(status)
  })

  it('reads an answer that comes byte by byte', () => {
    expect(statusOf(...'HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\n'.split(''))).toBe(404)
  })
})

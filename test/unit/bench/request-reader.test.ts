import { describe, expect, it } from 'vitest'
import { RequestReader } from '../../bench/request-reader.ts'

function read(pieces: readonly Buffer[]): { head: string; body: string }[] {
  const requests: { head: string; body: string }[] = []
  const reader = new RequestReader(({ head, body }) => requests.push({ head, body: body.toString() }))
  for (const piece of pieces) reader.push(piece)
  return requests
}

const scale = 'POST /system/scale-function/a HTTP/1.1\r\nhost: p\r\nCONTENT-length: 14\r\n\r\n{"replicas":1}'
const status = 'GET /system/function/a HTTP/1.1\r\nhost: p\r\n\r\n'
const whole = [
  { head: 'POST /system/scale-function/a HTTP/1.1\r\nhost: p\r\nCONTENT-length: 14', body: '{"replicas":1}' },
  { head: 'GET /system/function/a HTTP/1.1\r\nhost: p', body: '' },
]

describe('RequestReader', () => {
  it('reads requests that come in one packet', () => {
    expect(read([Buffer.from(scale + status)])).toEqual(whole)
  })

  it('reads requests that are split anywhere', () => {
    const bytes = Buffer.from(scale + status)
    const perByte = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))

    expect(read(perByte)).toEqual(whole)
    for (let cut = 1; cut < bytes.length; cut += 1)
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole)
  })

  it('keeps an unfinished request to itself', () => {
    expect(read([Buffer.from(scale.slice(0, -1))])).toEqual([])
  })

  it.each(['Transfer-Encoding: chunked', 'Content-Length: 1, 2', 'Content-Length: -1'])('refuses "%s"', (line) => {
    expect(() => read([Buffer.from(`POST / HTTP/1.1\r\n${line}\r\n\r\n`)])).toThrow(line)
  })
})

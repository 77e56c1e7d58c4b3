import { describe, expect, it } from 'vitest'
import { AnswerReader } from '../../bench/answer-reader.ts'

function read(pieces: readonly Buffer[]): { statuses: number[]; isUnderstood: boolean } {
  const statuses: number[] = []
  const reader = new AnswerReader((status) => statuses.push(status))
  const isUnderstood = pieces.every((piece) => reader.push(piece))
  return { statuses, isUnderstood }
}

const empty = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello${empty}HTTP/1.1 500 No\r\nContent-Length:3\r\n\r\nbad`,
)

describe('AnswerReader', () => {
  it('reads answers that come in one packet', () => {
    expect(read([whole])).toEqual({ statuses: [200, 202, 500], isUnderstood: true })
  })

  it('reads answers that are split anywhere, whatever becomes of a packet afterwards', () => {
    const statuses: number[] = []
    const reader = new AnswerReader((status) => statuses.push(status))
    const buffer = Buffer.alloc(7)
    for (let at = 0; at < whole.length; at += buffer.length) {
      const length = whole.copy(buffer, 0, at, at + buffer.length)
      reader.push(buffer.subarray(0, length))
      buffer.fill(0)
    }

    expect(statuses).toEqual([200, 202, 500])
    for (let cut = 1; cut < whole.length; cut += 1)
      expect(read([whole.subarray(0, cut), whole.subarray(cut)]).statuses).toEqual([200, 202, 500])
  })

  it('tells an answer only once it is whole', () => {
    expect(read([whole.subarray(0, whole.indexOf('hello') + 4)]).statuses).toEqual([])
  })

  it('does not understand an answer without a Content-Length', () => {
    const chunked = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')

    expect(read([chunked])).toEqual({ statuses: [], isUnderstood: false })
  })
})

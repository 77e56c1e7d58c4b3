import { describe, expect, it } from 'vitest'
import { readHead, type AnswerHead } from '../../../core/http1/answer-head.ts'
import { idleHintMs } from '../../../core/http1/persistence.ts'
import { bytesOf } from './read-answer.ts'

function headWith(line: string): AnswerHead {
  const bytes = bytesOf(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`)
  return readHead({ bytes, start: 0, end: bytes.length }, 10)
}

describe('the time for which an upstream keeps an idle connection', () => {
  it.each([
    ['Keep-Alive: timeout=5', 4_000],
    ['keep-alive: timeout=60, max=100', 59_000],
    ['Keep-Alive: max=100, Timeout=60', 59_000],
    ['Keep-Alive: max=100;timeout = "5"', 4_000],
    ['Keep-Alive: timeout=1', 0],
    ['Keep-Alive: timeout=0', 0],
    ['Keep-Alive: timeout=-1', undefined],
    ['Keep-Alive: mytimeout=5', undefined],
    ['Keep-Alive: max=5', undefined],
    ['Keep-Alive:', undefined],
    ['X-Own: timeout=5', undefined],
  ])('by "%s" is %s ms, a second less than announced', (line, expected) => {
    expect(idleHintMs(headWith(line))).toBe(expected)
  })
})

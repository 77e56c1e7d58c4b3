import { describe, expect, it } from 'vitest'
import { TextLogger } from '../../../../sidecar/log/text-logger.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function start() {
  const lines: string[] = []
  return {
    lines,
    log: new TextLogger({ destination: { write: (line) => void lines.push(line) }, clock: new FakeClock() }),
  }
}

describe('TextLogger', () => {
  it('writes a line of time, level, message and facts', () => {
    const { lines, log } = start()

    log.info('hello world', { count: 1, text: 'a b' })
    log.child({ gateway: 'http://a' }).warn('second')
    log.error('third', { error: new Error('why') })
    log.debug('never')

    expect(lines.slice(0, 2)).toEqual([
      '2026-01-01T00:00:00.000Z info  hello world count=1 text="a b"\n',
      '2026-01-01T00:00:00.000Z warn  second gateway=http://a\n',
    ])
    expect(lines[2]).toContain('error third error.type=Error error.message=why')
    expect(lines).toHaveLength(3)
  })

  it('masks credentials, and lets nobody begin a line of his own', () => {
    const { lines, log } = start()

    log.info('at http://user:word@host/\n2026 error forged', { password: 'word', url: 'http://user:word@host/' })

    expect(lines.join('')).not.toContain('word@')
    expect(lines.join('')).not.toContain('=word')
    expect(lines.join('').split('\n')).toHaveLength(2)
  })
})

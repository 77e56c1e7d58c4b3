import { describe, expect, it } from 'vitest'
import { GatewayError } from '#core'
import { neverReached, upstreamFailed } from '../../../core/http/upstream-errors.ts'

function coded(code: string, options: ErrorOptions = {}): Error {
  return Object.assign(new Error(code, options), { code })
}

describe('upstreamFailed', () => {
  it.each([
    ['ECONNREFUSED', false],
    ['EHOSTUNREACH', false],
    ['ENETUNREACH', false],
    ['ENOTFOUND', false],
    ['EAI_AGAIN', false],
    ['UND_ERR_CONNECT_TIMEOUT', false],
    ['ECONNRESET', true],
    ['EPIPE', true],
    ['UND_ERR_SOCKET', true],
  ])('tells of %s whether the upstream may have seen the request: %s', (code, accepted) => {
    expect(upstreamFailed(coded(code)).details).toEqual({ accepted })
  })

  it('looks into causes', () => {
    expect(upstreamFailed(new Error('outer', { cause: coded('ECONNREFUSED') })).details).toEqual({ accepted: false })
  })

  it('takes a try of several addresses for never accepted only if none of them was', () => {
    const refused = coded('ECONNREFUSED')

    expect(upstreamFailed(new AggregateError([refused, coded('EHOSTUNREACH')])).details).toEqual({ accepted: false })
    expect(upstreamFailed(new AggregateError([refused, coded('ECONNRESET')])).details).toEqual({ accepted: true })
    expect(upstreamFailed(new AggregateError([])).details).toEqual({ accepted: true })
  })

  it('is not caught in a circle of causes', () => {
    const [one, two] = [new Error('one'), new Error('two')]
    one.cause = two
    two.cause = one

    expect(upstreamFailed(one).details).toEqual({ accepted: true })
  })

  it('keeps the cause for the log', () => {
    const cause = coded('ECONNREFUSED')

    expect(upstreamFailed(cause)).toMatchObject({ code: 'upstream_failed', cause })
  })
})

describe('neverReached', () => {
  it.each([
    ['a connection that was refused', upstreamFailed(coded('ECONNREFUSED')), true],
    ['a connection that was reset', upstreamFailed(coded('ECONNRESET')), false],
    ['another condition', new GatewayError('draining', 'x', { details: { accepted: false } }), false],
    ['any other error', new Error('x'), false],
  ])('judges %s', (_, error, expected) => {
    expect(neverReached(error)).toBe(expected)
  })
})

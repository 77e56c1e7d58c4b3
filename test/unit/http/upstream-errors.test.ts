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
    ['EMFILE', false],
    ['ENFILE', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false],
    ['CERT_HAS_EXPIRED', false],
    ['CERT_NOT_YET_VALID', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true],
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

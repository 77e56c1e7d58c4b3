import { describe, expect, it } from 'vitest'
import { headerValue } from '#core'
import { upstreamHeaders } from '../../../core/http/upstream-headers.ts'
import { someRequest } from './some-request.ts'

function sent(headers: Readonly<Record<string, string>>, { trustForwarded = true, peer = '10.0.0.9' } = {}): string[] {
  const { request, message } = someRequest({ headers })
  Object.defineProperty(message.socket, 'remoteAddress', { value: peer })
  return upstreamHeaders(request, { callId: 'id-1', startTime: '170', trustForwarded })
}

describe('upstreamHeaders', () => {
  it("keeps the client's end-to-end headers as they are and adds its own", () => {
    expect(sent({ Host: 'gateway.test', 'X-Kept': 'Yes', Authorization: 'Basic x', 'User-Agent': 'u' })).toEqual([
      ...['X-Kept', 'Yes', 'Authorization', 'Basic x', 'User-Agent', 'u'],
      ...['X-Forwarded-For', '10.0.0.9', 'X-Forwarded-Host', 'gateway.test', 'X-Forwarded-Proto', 'http'],
      ...['X-Call-Id', 'id-1', 'X-Start-Time', '170'],
    ])
  })

  it('replaces call id and start time of the client', () => {
    const headers = sent({ 'X-Call-Id': 'theirs', 'x-start-time': '1' })

    expect(headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())).toEqual([
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-call-id',
      'x-start-time',
    ])
    expect(headerValue(headers, 'x-call-id')).toBe('id-1')
  })

  it('leaves out what gateways and sidecars say to each other, in any case', () => {
    const headers = sent({
      'x-pilotlight-gateway': 'forged',
      'X-PILOTLIGHT-SLOT': 'forged',
      'X-Pilotlight-Anything-Else': 'forged',
      'X-Pilot': 'kept',
      'X-Pilotlights': 'kept',
    })

    expect(headers.slice(0, 4)).toEqual(['X-Pilot', 'kept', 'X-Pilotlights', 'kept'])
    expect(headers).not.toContain('forged')
  })

  it('leaves out hop-by-hop headers, Expect, and what Connection names', () => {
    const headers = sent({
      Connection: 'close, X-Private',
      'X-Private': '1',
      TE: 'trailers',
      Expect: '100-continue',
      'X-Kept': '1',
    })

    expect(headers.slice(0, 2)).toEqual(['X-Kept', '1'])
    expect(headerValue(headers, 'x-private')).toBeUndefined()
    expect(headerValue(headers, 'te')).toBeUndefined()
    expect(headerValue(headers, 'expect')).toBeUndefined()
  })

  it.each([
    ['trusted: appended to, the rest kept', true, '1.1.1.1, 2.2.2.2, 10.0.0.9', 'front.test', 'https'],
    ['not trusted: replaced', false, '10.0.0.9', 'gateway.test', 'http'],
  ])('has X-Forwarded headers of the client %s', (_, trustForwarded, forwardedFor, host, proto) => {
    const headers = sent(
      {
        Host: 'gateway.test',
        'X-Forwarded-For': '1.1.1.1, 2.2.2.2',
        'X-Forwarded-Host': 'front.test',
        'X-Forwarded-Proto': 'https',
      },
      { trustForwarded },
    )

    expect(headerValue(headers, 'x-forwarded-for')).toBe(forwardedFor)
    expect(headerValue(headers, 'x-forwarded-host')).toBe(host)
    expect(headerValue(headers, 'x-forwarded-proto')).toBe(proto)
  })

  it.each([
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:db8::1'],
  ])('writes the peer %s as %s, without a port', (peer, written) => {
    expect(headerValue(sent({}, { peer }), 'x-forwarded-for')).toBe(written)
  })
})

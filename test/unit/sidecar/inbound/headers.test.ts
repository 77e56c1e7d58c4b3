import { describe, expect, it } from 'vitest'
import { headerValue, removeOwnHeaders } from '#core/lean'
import { functionHeaders } from '../../../../sidecar/inbound/function-headers.ts'
import { ensureTraceContext } from '../../../../sidecar/inbound/trace-context.ts'
import { RequestAndClient } from '../../http/some-request.ts'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('removeOwnHeaders', () => {
  it('removes names in any case, repeats included, and nothing else', () => {
    const headers = [
      'a',
      'x-pilotlight-slot',
      'X-Pilotlight-Slot',
      '1',
      'x-pilotlight-',
      '2',
      'X-PILOTLIGHT-SLOT',
      '3',
      'b',
      '4',
    ]

    removeOwnHeaders(headers)

    expect(headers).toEqual(['a', 'x-pilotlight-slot', 'x-pilotlight-', '2', 'b', '4'])
  })
})

describe('functionHeaders', () => {
  it.each(['keep-alive, x-forwarded-for', 'X-Forwarded-Host, X-Forwarded-For'])(
    'say who called although the caller calls that its own business: %s',
    (connection) => {
      const headers = {
        Connection: connection,
        Host: 'here',
        'X-Forwarded-For': '1.2.3.4',
        'X-Forwarded-Host': 'there',
      }
      const { request } = new RequestAndClient({ headers })

      const result = functionHeaders(request)

      expect(headerValue(result, 'x-forwarded-for')).toBe('')
      expect(headerValue(result, 'x-forwarded-host')).toBe(connection.includes('Host') ? 'here' : 'there')
    },
  )
})

describe('ensureTraceContext', () => {
  it.each([parent, `01${parent.slice(2)}-something-newer`])('leaves %s as it is', (given) => {
    const headers = ['tracestate', 'a=b', 'Traceparent', given]

    ensureTraceContext(headers, () => 0, 1)

    expect(headers).toEqual(['tracestate', 'a=b', 'Traceparent', given])
  })

  it.each([
    '',
    'x',
    parent.toUpperCase(),
    parent.slice(0, -1),
    `ff${parent.slice(2)}`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `${parent}x`,
  ])('replaces "%s", and the state that belonged to it', (given) => {
    const headers = ['Traceparent', given, 'tracestate', 'a=b']

    ensureTraceContext(headers, Math.random, 1)

    expect(headers).toEqual(['traceparent', expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)])
  })

  it('makes ids that are never all zeros, nor too long', () => {
    for (const value of [0, 0.999_999_999_999]) {
      const headers: string[] = []

      ensureTraceContext(headers, () => value, 1)

      expect(headers[1]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/)
    }
  })

  it.each([
    [0, '00'],
    [0.4, '00'],
    [0.6, '01'],
    [1, '01'],
  ])('says sampled for a share of %d', (ratio, flags) => {
    const headers: string[] = []

    ensureTraceContext(headers, () => 0.5, ratio)

    expect(headers[1]?.slice(-2)).toBe(flags)
  })
})

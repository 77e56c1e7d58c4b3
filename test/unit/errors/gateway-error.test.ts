import { describe, expect, it } from 'vitest'
import { errorCodes, GatewayError } from '#core'

describe('GatewayError', () => {
  it('takes status, title and advice from its code', () => {
    const error = new GatewayError('circuit_open', 'cannot start', { details: { tries: 3 }, retryAfterSeconds: 2 })

    expect(error).toMatchObject({
      name: 'GatewayError',
      message: 'cannot start',
      status: 503,
      title: 'Function cannot start',
      retryable: true,
      retryAfterSeconds: 2,
      details: { tries: 3 },
    })
  })

  it('keeps its cause, and has none when there is none', () => {
    const cause = new Error('inner')

    expect(new GatewayError('internal', 'outer', { cause }).cause).toBe(cause)
    expect('cause' in new GatewayError('internal', 'outer')).toBe(false)
  })
})

describe('GatewayError.from', () => {
  it('returns an error of the gateway as it is', () => {
    const error = new GatewayError('draining', 'going')

    expect(GatewayError.from(error, 'internal')).toBe(error)
  })

  it.each([[new Error('boom')], ['boom'], [undefined]])('wraps %s with its value as cause', (reason) => {
    expect(GatewayError.from(reason, 'plugin_failed', 'it failed')).toMatchObject({
      code: 'plugin_failed',
      message: 'it failed',
      ...(reason === undefined ? {} : { cause: reason }),
    })
    expect(GatewayError.from(reason).code).toBe('internal')
  })
})

describe('errorCodes', () => {
  it('are names in snake case with an error status and a title', () => {
    for (const [code, { status, title }] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
      expect(title).not.toBe('')
    }
  })
})

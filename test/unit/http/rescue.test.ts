import { describe, expect, it } from 'vitest'
import { errorCodes, GatewayError, headerValue, type ErrorCode } from '#core'
import { rescue } from '../../../core/http/rescue.ts'

/** What every condition looks like to a client: status and Retry-After. */
const table: Readonly<Record<ErrorCode, readonly [status: number, retryAfter: string | undefined]>> = {
  request_invalid: [400, undefined],
  unauthenticated: [401, undefined],
  forbidden: [403, undefined],
  route_not_found: [404, undefined],
  function_not_found: [404, undefined],
  body_too_large: [413, undefined],
  headers_too_large: [431, undefined],
  rate_limited: [429, '1'],
  client_closed: [499, undefined],
  plugin_failed: [500, undefined],
  internal: [500, undefined],
  not_supported: [501, undefined],
  upstream_failed: [502, undefined],
  overloaded: [503, '1'],
  queue_full: [503, '1'],
  circuit_open: [503, '1'],
  no_ready_replica: [503, '1'],
  provider_unavailable: [503, '1'],
  lease_store_unavailable: [503, '1'],
  lease_lost: [503, '1'],
  draining: [503, '1'],
  cold_start_timeout: [504, undefined],
  upstream_timeout: [504, undefined],
  deadline_exceeded: [504, undefined],
  config_invalid: [500, undefined],
  plugin_duplicate: [500, undefined],
  plugin_after_start: [500, undefined],
  plugin_setup_failed: [500, undefined],
  plugin_setup_timeout: [500, undefined],
  need_missing: [500, undefined],
}

async function documentOf(error: unknown): Promise<unknown> {
  return JSON.parse(Buffer.from(await rescue(error).bytes(10_000)).toString())
}

describe('rescue', () => {
  it('knows every code that there is', () => {
    expect(Object.keys(table).toSorted()).toEqual(Object.keys(errorCodes).toSorted())
  })

  it.each(Object.entries(table))('gives %s its status and Retry-After', (code, [status, retryAfter]) => {
    const reply = rescue(new GatewayError(code as ErrorCode, 'what happened')) // a key of the table

    expect(reply.status).toBe(status)
    expect(headerValue(reply.headers, 'retry-after')).toBe(retryAfter)
  })

  it('explains in a problem document: title, status, what happened, and the code', async () => {
    const error = new GatewayError('queue_full', '2000 calls are already held for "echo"')

    expect(headerValue(rescue(error).headers, 'content-type')).toBe('application/problem+json')
    expect(await documentOf(error)).toEqual({
      type: 'about:blank',
      title: 'Too many held requests',
      status: 503,
      detail: '2000 calls are already held for "echo"',
      code: 'queue_full',
    })
  })

  it('answers upstream_failed with an empty 502, which clients of OpenFaaS know', async () => {
    const reply = rescue(new GatewayError('upstream_failed', 'no'))

    expect(reply.headers).toEqual(['Content-Length', '0'])
    expect(await reply.bytes(0)).toHaveLength(0)
  })

  it.each([
    ['anything that is no error of the gateway', new TypeError('x is not a function at /srv/app')],
    ['a failure inside the gateway', new GatewayError('internal', 'x is not a function at /srv/app')],
    ['a failed plugin', new GatewayError('plugin_failed', 'x is not a function at /srv/app')],
    ['nothing', undefined],
  ])('says nothing about %s but that the log does', async (_, error) => {
    expect(await documentOf(error)).toMatchObject({
      status: 500,
      detail: 'the gateway failed to handle this request; its log says why',
    })
  })

  it('never shows a cause', async () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.17:6443')
    const error = new GatewayError('provider_unavailable', 'the provider did not answer', { cause })

    expect(JSON.stringify(await documentOf(error))).not.toContain('10.0.0.17')
  })

  it.each([
    [0.2, '1'],
    [7.5, '8'],
    [30, '30'],
  ])('rounds Retry-After of %d s up to %s', (retryAfterSeconds, written) => {
    const reply = rescue(new GatewayError('cold_start_timeout', 'late', { retryAfterSeconds }))

    expect(headerValue(reply.headers, 'retry-after')).toBe(written)
  })
})

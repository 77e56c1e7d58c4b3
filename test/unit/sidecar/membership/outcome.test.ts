import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../../../sidecar/membership/outcome.ts'

describe('outcomeOf', () => {
  it('reads a receipt', () => {
    expect(outcomeOf({ status: 200, text: '{"ttlMs":9000,"acknowledged":2,"silent":1}' })).toEqual({
      kind: 'taken',
      receipt: { ttlMs: 9000, acknowledged: 2, silent: 1 },
    })
  })

  it.each(['', '[]', 'null', '7', '{}', '{"ttlMs":-1}', '{"ttlMs":0}', '{"ttlMs":"9"}', '{"ttlMs":1e999}', '<html>'])(
    'takes %s for no receipt',
    (text) => {
      expect(outcomeOf({ status: 200, text })).toEqual({
        kind: 'failed',
        reason: expect.stringContaining('no receipt'),
      })
    },
  )

  it.each([400, 401, 403, 404, 409, 413])('has a remedy for %i', (status) => {
    expect(outcomeOf({ status, text: '' })).toEqual({ kind: 'refused', status, remedy: expect.stringMatching(/: \w/) })
  })

  it('repeats what a gateway says that has no key, up to a length', () => {
    const outcome = outcomeOf({ status: 503, text: `no key ${'!'.repeat(1_000)}` })

    expect(outcome).toEqual({ kind: 'failed', reason: expect.stringMatching(/503: "no key !{1,120}"$/) })
  })

  it.each([204, 301, 429, 500, 502])('takes %i for a failure', (status) => {
    expect(outcomeOf({ status, text: '{"ttlMs":9000}' })).toEqual({ kind: 'failed', reason: `it answers ${status}` })
  })
})

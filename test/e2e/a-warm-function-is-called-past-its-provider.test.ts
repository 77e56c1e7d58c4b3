import { describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'

describe('a warm function of a cluster', () => {
  guardAgainstLeaks()

  it('is called by every gateway while its provider stands still, one that was not asked before included', async () => {
    await using cluster = await startCluster(undefined, { gateways: 2, env: { function_namespace: 'openfaas-fn' } })
    const [first, second] = cluster.gateways.map(({ url }) => `${url}/function/upper`)
    const loud = { method: 'POST', body: 'loud' }
    expect((await call(first ?? '', loud)).body).toBe('LOUD')
    await eventually('the second gateway to know', async () =>
      /^pilotlight_instances\{.*phase="ready".*\} 1$/m.test((await cluster.gateways[1]?.metrics()) ?? ''),
    )
    cluster.provider?.pause()

    const answers = await Promise.all([first, second].map((url) => call(url ?? '', loud)))
    cluster.provider?.resume()

    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'LOUD'],
      [200, 'LOUD'],
    ])
  })
})

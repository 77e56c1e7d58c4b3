import { describe, expect, it } from 'vitest'
import { readWhole } from '../contract/function-path/function-path.ts'
import { call } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { heldCalls } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a cold function', () => {
  guardAgainstLeaks()

  it('answers its first caller as soon as the provider says that it is ready', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 200 })
    await using gateway = await startGatewayBefore(provider)

    const answer = await call(`${gateway.url}/function/cold`)

    expect(answer.status).toBe(200)
    expect(answer.body).toBe('hello\n')
    expect(provider.count('scale')).toBe(1)
    expect(provider.count('invoke')).toBe(1)
    const { readyAtMs } = provider.function('cold')
    expect(provider.calls.filter(({ kind, atMs }) => kind === 'status' && atMs > readyAtMs).length).toBeLessThanOrEqual(
      1,
    )
  })

  it('gets its whole request, whatever the size of the body', async () => {
    await using provider = await ScriptedProvider.start(
      { name: 'small', desired: 0, readyAfterMs: 50 },
      { name: 'large', desired: 0, readyAfterMs: 50 },
    )
    for (const name of ['small', 'large']) {
      provider.function(name).handler = (request, response) =>
        void readWhole(request).then(({ method, target, body }) => response.end(`${method} ${target} ${body.length}`))
    }
    await using gateway = await startGatewayBefore(provider)

    const small = await call(`${gateway.url}/function/small/a%2Fb?x=1`, { method: 'POST', body: 'x'.repeat(1_000) })
    const large = await call(`${gateway.url}/function/large`, { method: 'PUT', body: 'x'.repeat(5_000_000) })

    expect(small.body).toBe('POST /function/small/a%2Fb?x=1 1000')
    expect(large.body).toBe('PUT /function/large 5000000')
  })

  it('is scaled to its smallest number of replicas, under a fence', async () => {
    const labels = { 'com.openfaas.scale.min': '3' }
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, labels })
    await using gateway = await startGatewayBefore(provider)

    await call(`${gateway.url}/function/cold`)

    expect(provider.function('cold').desired).toBe(3)
    const scale = provider.calls.find(({ kind }) => kind === 'scale')
    expect(Number(scale?.headers['x-pilotlight-fence'])).toBeGreaterThan(0)
  })

  it('is woken in the namespace that its name says', async () => {
    await using provider = await ScriptedProvider.start(
      { name: 'cold', namespace: 'one', desired: 0 },
      { name: 'cold', namespace: 'two', desired: 0 },
    )
    provider.namespaces = ['one', 'two']
    provider.defaultNamespace = 'one'
    await using gateway = await startGatewayBefore(provider, { env: { function_namespace: 'one' } })

    expect((await call(`${gateway.url}/function/cold.two`)).status).toBe(200)
    expect(provider.function('cold', 'two').desired).toBe(1)
    expect(provider.function('cold', 'one').desired).toBe(0)

    expect((await call(`${gateway.url}/function/cold`)).status).toBe(200)
    expect(provider.function('cold', 'one').desired).toBe(1)
  })

  it('that is being started by somebody else is only waited for', async () => {
    await using provider = await ScriptedProvider.start({ name: 'starting', desired: 1, available: 0 })
    await using gateway = await startGatewayBefore(provider)
    const caller = call(`${gateway.url}/function/starting`)
    await heldCalls(gateway, 1)

    provider.function('starting').becomeReady()

    expect((await caller).status).toBe(200)
    expect(provider.count('scale')).toBe(0)
  })
})

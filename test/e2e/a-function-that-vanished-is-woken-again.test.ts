import { describe, expect, it } from 'vitest'
import { readWhole } from '../contract/function-path/function-path.ts'
import { call, callTogether, statuses } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a function that was scaled to zero behind the gateway', () => {
  guardAgainstLeaks()

  it('is woken again by the next callers, who notice nothing', async () => {
    await using provider = await ScriptedProvider.start({ name: 'gone', readyAfterMs: 50 })
    await using gateway = await startGatewayBefore(provider, { config: '' })
    expect((await call(`${gateway.url}/function/gone`)).status).toBe(200)
    provider.function('gone').vanish()

    const outcomes = await callTogether(50, `${gateway.url}/function/gone`)

    expect(statuses(outcomes)).toEqual({ 200: 50 })
    expect(provider.count('scale')).toBe(1)
  })

  it('gets the body of the call that found out', async () => {
    await using provider = await ScriptedProvider.start({ name: 'gone', readyAfterMs: 50 })
    provider.function('gone').handler = (request, response) =>
      void readWhole(request).then(({ body }) => response.end(body))
    await using gateway = await startGatewayBefore(provider, { config: '' })
    await call(`${gateway.url}/function/gone`)
    provider.function('gone').vanish()

    const answer = await call(`${gateway.url}/function/gone`, { method: 'POST', body: 'precious' })

    expect(answer.status).toBe(200)
    expect(answer.body).toBe('precious')
  })

  it('is told to a caller whose body cannot be sent twice', async () => {
    await using provider = await ScriptedProvider.start({ name: 'gone' })
    await using gateway = await startGatewayBefore(provider, { config: '' })
    await call(`${gateway.url}/function/gone`)
    provider.function('gone').vanish()
    await using client = await RawConnection.open(gateway.url)
    await client.send(`${requestBytes('POST', '/function/gone', ['Transfer-Encoding: chunked'])}4\r\npart\r\n0\r\n\r\n`)

    expect((await client.response('POST')).status).toBe(503)
    expect((await call(`${gateway.url}/function/gone`)).status).toBe(200)
  })

  it('or whose endpoint lags behind its readiness, is waited for', async () => {
    await using provider = await ScriptedProvider.start({ name: 'lagging', desired: 0, readyAfterMs: 20 })
    provider.function('lagging').missingEndpoints = 3
    await using gateway = await startGatewayBefore(provider, { config: '' })

    const answer = await call(`${gateway.url}/function/lagging`)

    expect(answer.status).toBe(200)
    expect(provider.count('invoke')).toBe(4)
  })
})

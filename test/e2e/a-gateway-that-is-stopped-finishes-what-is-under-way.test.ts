import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { call, startCall } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

function readiness(gateway: GatewayProcess): Promise<number> {
  return call(`${gateway.url}/readyz`).then(({ status }) => status)
}

describe('a gateway that gets SIGTERM', () => {
  guardAgainstLeaks()

  it('is not ready from then on but serves through the quiet period, then exits 0', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_QUIET_PERIOD: '600ms' } })
    expect(await readiness(gateway)).toBe(200)

    gateway.signal('SIGTERM')

    await eventually('readiness to go off', async () => (await readiness(gateway)) === 503)
    expect((await call(`${gateway.url}/function/echo`)).status).toBe(200)
    expect((await call(`${gateway.url}/healthz`)).status).toBe(200)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('finishes calls in flight and streams', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' }, { name: 'stream' })
    await using gateway = await startGatewayBefore(provider)
    const held = Promise.withResolvers<ServerResponse>()
    const opened = Promise.withResolvers<ServerResponse>()
    provider.function('slow').handler = (_request, response) => held.resolve(response)
    provider.function('stream').handler = (_request, response) => {
      response.write('one,')
      opened.resolve(response)
    }
    const slow = call(`${gateway.url}/function/slow`)
    const streaming = call(`${gateway.url}/function/stream`)
    const [slowResponse, stream] = await Promise.all([held.promise, opened.promise])

    gateway.signal('SIGTERM')
    await eventually('the gateway to stop listening', async () => (await call(`${gateway.url}/healthz`)).status === 0)
    stream.write('two,')
    stream.end('three')
    slowResponse.end('done')

    expect((await slow).body).toBe('done')
    expect((await streaming).body).toBe('one,two,three')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('finishes calls that are held for a function being woken', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider)
    const held = call(`${gateway.url}/function/cold`)
    await eventually('the scale call', () => provider.count('scale') === 1)

    gateway.signal('SIGTERM')
    await eventually('the gateway to stop listening', async () => (await call(`${gateway.url}/healthz`)).status === 0)
    provider.function('cold').becomeReady()

    expect((await held).status).toBe(200)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('keeps upgraded connections until their ends close them', async () => {
    await using provider = await ScriptedProvider.start({ name: 'socket' })
    await using gateway = await startGatewayBefore(provider)
    provider.function('socket').upgrade = (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.on('data', (piece: Buffer) => socket.write(`<${piece.toString()}>`))
      socket.once('end', () => socket.end())
    }
    await using client = await RawConnection.open(gateway.url)
    await client.send(requestBytes('GET', '/function/socket', ['Connection: Upgrade', 'Upgrade: websocket']))
    await client.shows('101 Switching Protocols')

    gateway.signal('SIGTERM')
    await eventually('the gateway to stop listening', async () => (await call(`${gateway.url}/healthz`)).status === 0)
    await client.send('still here')
    await client.shows('<still here>')
    client.socket.destroy()

    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('says so on connections that clients keep', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider)
    const reached = Promise.withResolvers<ServerResponse>()
    provider.function('echo').handler = (_request, response) => reached.resolve(response)
    await using idle = await RawConnection.open(gateway.url)
    await using busy = await RawConnection.open(gateway.url)
    await busy.send(requestBytes('GET', '/function/echo'))
    const response = await reached.promise

    gateway.signal('SIGTERM')

    expect(await idle.closed()).not.toBe('open')
    response.end('done')
    expect((await busy.response()).body.toString()).toBe('done')
    expect(await busy.closed()).not.toBe('open')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('cuts what is left when the grace period is over, and still exits 0', async () => {
    await using provider = await ScriptedProvider.start(
      { name: 'hung' },
      { name: 'cold', desired: 0, readyAfterMs: -1 },
    )
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_GRACE_PERIOD: '400ms' } })
    provider.function('hung').handler = (_request, response) => void response.write('part')
    const hung = call(`${gateway.url}/function/hung`)
    const held = call(`${gateway.url}/function/cold`)
    await eventually('both calls', () => provider.count('invoke') === 1 && provider.count('scale') === 1)

    gateway.signal('SIGTERM')

    expect((await hung).status).toBe(0)
    expect([0, 503]).toContain((await held).status)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('twice exits at once', async () => {
    await using provider = await ScriptedProvider.start({ name: 'hung' })
    await using gateway = await startGatewayBefore(provider, {
      env: { PILOTLIGHT_QUIET_PERIOD: '30s', PILOTLIGHT_GRACE_PERIOD: '30s' },
    })
    provider.function('hung').handler = () => {}
    const hung = startCall(`${gateway.url}/function/hung`)
    await eventually('the call', () => provider.count('invoke') === 1)

    gateway.signal('SIGTERM')
    await eventually('readiness to go off', async () => (await readiness(gateway)) === 503)
    gateway.signal('SIGINT')

    expect((await gateway.exited).code).not.toBe(0)
    expect((await hung.outcome).status).toBe(0)
  })
})

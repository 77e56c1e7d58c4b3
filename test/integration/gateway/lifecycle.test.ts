import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { ScriptedProvider } from '../../support/scripted-provider.ts'
import { noisyPlugin, PluginFolder } from '../plugin-host/plugin-folder.ts'

guardAgainstLeaks()

let provider: ScriptedProvider
beforeEach(async () => {
  provider = await ScriptedProvider.start({ name: 'echo' }, { name: 'cold', desired: 0, readyAfterMs: 300 })
})
afterEach(() => provider[Symbol.asyncDispose]())

function start(env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  return startGatewayProcess({ env: { functions_provider_url: provider.url, ...env } })
}

function says(gateway: GatewayProcess, text: string): Promise<boolean> {
  return eventually(`the gateway to log "${text}"`, () => gateway.output.includes(text))
}

describe('a gateway that is told to stop', () => {
  it('first turns readiness off and goes on serving for the quiet period, then exits 0', async () => {
    await using gateway = await start({ PILOTLIGHT_QUIET_PERIOD: '400ms' })

    gateway.signal('SIGTERM')
    await says(gateway, 'readiness is off')
    const [ready, call] = [
      await rawRequest(gateway.url, requestBytes('GET', '/readyz')),
      await rawRequest(gateway.url, requestBytes('GET', '/function/echo')),
    ]

    expect(ready.status).toBe(503)
    expect(ready.body.toString()).toContain('shutting down')
    expect(call.status).toBe(200)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('finishes calls in flight and held calls', async () => {
    await using gateway = await start()
    const slow = Promise.withResolvers<void>()
    provider.function('echo').handler = (request, response) => {
      request.resume()
      void slow.promise.then(() => response.end('slow'))
    }
    await using inFlight = await RawConnection.open(gateway.url)
    await using held = await RawConnection.open(gateway.url)
    await inFlight.send(requestBytes('GET', '/function/echo'))
    await held.send(requestBytes('GET', '/function/cold'))
    await eventually(
      'both calls',
      () => provider.count('invoke', 'echo') === 1 && provider.count('scale', 'cold') === 1,
    )

    gateway.signal('SIGTERM')
    await says(gateway, 'draining')
    slow.resolve()
    const [first, second] = [await inFlight.response(), await held.response()]

    expect(first.body.toString()).toBe('slow')
    expect(header(first, 'connection')).toBe('close')
    expect(second.status).toBe(200)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('cuts what outlives the grace period', async () => {
    await using gateway = await start({ PILOTLIGHT_GRACE_PERIOD: '200ms' })
    provider.function('echo').handler = (request) => request.resume()
    await using endless = await RawConnection.open(gateway.url)
    await endless.send(requestBytes('GET', '/function/echo'))
    await eventually('the call', () => provider.count('invoke') === 1)

    gateway.signal('SIGTERM')
    const closing = await endless.closed()

    expect(closing).not.toBe('open')
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(gateway.output).toContain('the grace period is over')
  })

  it('does not wait longer than the grace period for a plugin that never drains', async () => {
    using folder = new PluginFolder()
    folder.write(
      'stuck.js',
      noisyPlugin('stuck').replace('drain: async () =>', 'drain: () => new Promise(() => {}) ||'),
    )
    await using gateway = await startGatewayProcess({
      args: folder.configure({ functionsProviderUrl: provider.url, plugins: ['./stuck.js'] }),
      env: { PILOTLIGHT_GRACE_PERIOD: '100ms' },
    })

    gateway.signal('SIGTERM')

    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(gateway.output).toContain('draining plugin \\"stuck\\" failed')
  })

  it('exits at once, with 1, when it is told a second time', async () => {
    await using gateway = await start({ PILOTLIGHT_QUIET_PERIOD: '1m' })
    gateway.signal('SIGINT')
    await says(gateway, 'readiness is off')

    gateway.signal('SIGINT')

    expect(await gateway.exited).toEqual({ code: 1, signal: null })
  })
})

describe('a gateway that cannot have its port', () => {
  it('says which, closes everything else, and exits 1', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen({ host: '127.0.0.1', port: 0 }, resolve))
    const { port } = taken.address() as AddressInfo // a TCP server's address is always of this type
    const gateway = new GatewayProcess({ env: { functions_provider_url: provider.url, PILOTLIGHT_PORT: String(port) } })

    const exit = await gateway.exited
    await new Promise((resolve) => taken.close(resolve))

    expect(exit).toEqual({ code: 1, signal: null })
    expect(gateway.output).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
  })
})

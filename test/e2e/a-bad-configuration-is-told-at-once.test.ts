import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { GatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'

describe('a bad configuration', () => {
  guardAgainstLeaks()

  it('is one message with every fault and its place, exit code 2, and nothing listens', async () => {
    await using gateway = new GatewayProcess({
      env: { PILOTLIGHT_HOLD_TIMEOUT: 'soon', functions_provider_url: 'ftp://x', PILOTLIGHT_NO_SUCH: '1' },
      config: 'engine: steam\nnonsense: 1\npluginOptions: { scale-from-zero: { maxHeldTotal: none } }\n',
    })

    expect(await gateway.exited).toEqual({ code: 2, signal: null })

    for (const fault of [
      'PILOTLIGHT_HOLD_TIMEOUT',
      'functions_provider_url',
      'PILOTLIGHT_NO_SUCH',
      'engine',
      'nonsense',
    ]) {
      expect(gateway.output).toContain(fault)
    }
    expect(gateway.output).not.toContain('gateway listening')
    expect(gateway.output).not.toMatch(/^\s+at /m)
  })

  it('of a plugin names the plugin and the path', async () => {
    await using gateway = new GatewayProcess({
      env: { functions_provider_url: 'http://127.0.0.1:9' },
      config: 'pluginOptions: { scale-from-zero: { maxHeldTotal: none, extra: 1 } }\n',
    })

    expect((await gateway.exited).code).toBe(2)

    for (const part of ['scale-from-zero', 'maxHeldTotal', 'extra']) expect(gateway.output).toContain(part)
  })

  it('of a port in use is exit code 1 and names the port', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo // a TCP server's address
    await using gateway = new GatewayProcess({
      env: { functions_provider_url: 'http://127.0.0.1:9', PILOTLIGHT_PORT: String(port) },
    })

    const { code } = await gateway.exited
    await new Promise((resolve) => taken.close(resolve))

    expect(code).toBe(1)
    expect(gateway.output).toContain(String(port))
  })
})

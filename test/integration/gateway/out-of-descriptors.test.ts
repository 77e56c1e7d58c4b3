import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { GatewayProcess } from '../../support/gateway-process.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { ScriptedProvider } from '../../support/scripted-provider.ts'

guardAgainstLeaks()

it('a gateway that runs out of file descriptors turns connections away, serves those it has, and recovers', async () => {
  await using provider = await ScriptedProvider.start({ name: 'echo' })
  await using gateway = new GatewayProcess({
    launcher: ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'],
    env: { functions_provider_url: provider.url },
  })
  await gateway.listening()
  const call = requestBytes('GET', '/function/echo')

  const clients = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(gateway.url)))
  await Promise.all(clients.map((client) => client.send(call)))
  const isSettled = (client: RawConnection): boolean => client.closing !== 'open' || client.received.length > 0
  await eventually('every client to be answered or turned away', () => clients.every(isSettled))
  const served = clients.filter((client) => client.received.length > 0).length
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  const after = await eventually('an answer', () => rawRequest(gateway.url, call).catch(() => undefined))

  expect(served).toBeGreaterThan(0)
  expect(served).toBeLessThan(64)
  expect(after.status).toBe(200)
  expect(gateway.isRunning).toBe(true)
})

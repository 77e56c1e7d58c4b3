import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

interface Deaf extends AsyncDisposable {
  readonly port: number
}

/** Takes connections and never says a word. */
async function startDeaf(): Promise<Deaf> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('GET /system/functions', () => {
  guardAgainstLeaks()

  it('lists functions while Prometheus refuses connections', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider, {
      env: { faas_prometheus_host: '127.0.0.1', faas_prometheus_port: '9' },
    })

    const answer = await call(`${gateway.url}/system/functions`)

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject([{ name: 'echo', replicas: 1, availableReplicas: 1 }])
  })

  it('lists functions while Prometheus hangs', async () => {
    await using deaf = await startDeaf()
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider, {
      env: { faas_prometheus_host: '127.0.0.1', faas_prometheus_port: String(deaf.port) },
    })

    const answer = await call(`${gateway.url}/system/functions`)

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject([{ name: 'echo' }])
  })
})

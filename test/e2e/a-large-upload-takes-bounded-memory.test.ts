import { describe, expect, it } from 'vitest'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { call } from '../support/callers.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const megabyte = 1024 * 1024
const bodyMegabytes = 200

describe('a request body of 200 MiB', () => {
  guardAgainstLeaks()

  it.each(['undici', 'http-proxy'])('is streamed through %s in bounded memory', async (engine) => {
    await using provider = await ScriptedProvider.start({ name: 'sink' })
    let received = 0
    provider.function('sink').handler = (request, response) => {
      request.on('data', (piece: Buffer) => (received += piece.byteLength))
      request.on('end', () => response.end('thanks'))
    }
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_ENGINE: engine } })
    await call(`${gateway.url}/function/sink`)
    const before = gateway.residentBytes()
    let peak = before
    await using client = await RawConnection.open(gateway.url)
    await client.send(requestBytes('POST', '/function/sink', [`Content-Length: ${bodyMegabytes * megabyte}`]))

    const piece = Buffer.alloc(megabyte, 7)
    for (let sent = 0; sent < bodyMegabytes; sent += 1) {
      await client.send(piece)
      peak = Math.max(peak, gateway.residentBytes())
    }

    expect((await client.response('POST')).status).toBe(200)
    expect(received).toBe(bodyMegabytes * megabyte)
    expect(peak - before).toBeLessThan((bodyMegabytes / 2) * megabyte)
  })
})

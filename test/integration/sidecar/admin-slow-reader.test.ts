import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { TimedReply } from '../../../sidecar/admin/timed-reply.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'

guardAgainstLeaks()

async function start(body: Uint8Array) {
  const clock = new FakeClock()
  const ends: string[] = []
  const server = createServer((_, response) => {
    const reply = new TimedReply({ clock, timeoutMs: 10_000, headers: {}, body })
    reply.onEnd((end) => ends.push(end))
    reply.sendTo(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    clock,
    ends,
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('TimedReply', () => {
  it('cuts a reader off that does not take it in time', async () => {
    await using server = await start(Buffer.alloc(16 * 1024 * 1024))
    await using connection = await RawConnection.open(server.url)
    await connection.send(requestBytes('GET', '/'))
    await connection.begun()
    connection.socket.pause()

    await server.clock.advance(9_999)
    const before = [...server.ends]
    await server.clock.advance(1)
    connection.socket.resume()
    await connection.closed()

    expect(before).toEqual([])
    expect(server.ends).toEqual(['client_gone'])
    expect(connection.received.byteLength).toBeLessThan(16 * 1024 * 1024)
  })

  it('leaves the connection of a reader that has taken it, and no timer', async () => {
    await using server = await start(Buffer.from('page'))
    await using connection = await RawConnection.open(server.url)
    await connection.send(requestBytes('GET', '/'))
    const { status } = await connection.response()
    await connection.send(requestBytes('GET', '/'))
    await connection.response()

    await server.clock.advance(20_000)

    expect([status, connection.closing, server.clock.pending]).toEqual([200, 'open', 0])
  })
})

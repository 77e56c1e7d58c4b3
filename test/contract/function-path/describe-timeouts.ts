import { describe, expect, it } from 'vitest'
import { header, requestBytes } from '../../support/raw-http.ts'
import type { FunctionPath } from './function-path.ts'

/** Settings under which {@link describeTimeouts} holds. */
export const shortTimeouts = { env: { upstream_timeout: '250ms' } }

/** What happens to calls that take longer than `upstream_timeout`. */
export function describeTimeouts(path: () => FunctionPath): void {
  describe('upstream_timeout', () => {
    it('before the head is a 504 that says so', async () => {
      path().serve(() => {})

      const answer = await path().call('GET')

      expect(answer.status).toBe(504)
      expect(answer.body.toString()).toContain('250 ms')
      expect(answer.body.toString()).toContain('upstream_timeout')
      expect(answer.body.toString()).not.toContain('127.0.0.1')
      expect(header(answer, 'x-call-id')).toBeDefined()
    })

    it('after the head cuts the connection', async () => {
      path().serve((_request, response) => void response.write('part'))
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))

      await client.closed()

      const answer = await client.begun()
      expect(answer.status).toBe(200)
      expect(answer.complete).toBe(false)
    })

    it('counts while the client sends its body', async () => {
      path().serve((request) => void request.resume())
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', ['Transfer-Encoding: chunked']))
      await client.send('4\r\npart\r\n')

      expect((await client.response('POST')).status).toBe(504)
    })

    it('leaves an upgraded connection alone', async () => {
      path().echo.upgrade = (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        socket.on('data', (piece: Buffer) => socket.write(`<${piece.toString()}>`))
      }
      path().serve(() => {})
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', ['Connection: Upgrade', 'Upgrade: websocket']))
      await client.shows('101 Switching Protocols')

      expect((await path().call('GET')).status).toBe(504) // which began later and ran out of the same time
      await client.send('still here')

      await client.shows('<still here>')
    })
  })
}

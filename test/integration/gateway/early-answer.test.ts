import { describe, expect, it } from 'vitest'
import { useFunctionPath } from '../../contract/function-path/function-path.ts'
import { requestBytes } from '../../support/raw-http.ts'

const bodyBytes = 8_000_000

describe.each(['undici', 'http-proxy', 'h1'] as const)(
  'an answer that comes before the request body was read, by %s',
  (engine) => {
    const path = useFunctionPath(engine)

    it.each([
      ['keeps its connection', 'keep-alive'],
      ['closes its connection', 'close'],
    ])('leaves the connection of the client usable when the function %s', async (_, connection) => {
      path().serve((_request, response) => {
        response.writeHead(413, { 'Content-Length': '3', Connection: connection })
        response.end('big')
      })
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', [`Content-Length: ${bodyBytes}`]))
      const sending = client.send(Buffer.alloc(bodyBytes))

      const answer = await client.response('POST')
      await sending
      await client.send(requestBytes('GET', '/healthz'))
      const next = await client.response()

      // Closing with bytes unread resets the connection, which may cost the answer.
      expect(connection === 'close' ? [413, 502] : [413]).toContain(answer.status)
      expect(answer.complete).toBe(true)
      expect(next.status).toBe(200)
    })
  },
)

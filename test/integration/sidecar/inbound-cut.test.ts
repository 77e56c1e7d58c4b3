import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { gatewayHeader } from '#core/lean'
import { call } from '../../support/callers.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { runSidecar } from './running-sidecar.ts'

const ofGateway = { [gatewayHeader]: 'gateway-1' }

/** A function that ends with its first call: it stops listening, and closes the connection. */
async function startFatalFunction() {
  let calls = 0
  const server = createServer(({ socket }) => {
    calls += 1
    server.close()
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address
  return {
    origin: `http://127.0.0.1:${port}`,
    calls: () => calls,
    async [Symbol.asyncDispose]() {
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a call that the function breaks off before its answer', () => {
  guardAgainstLeaks()

  it.each(['GET', 'POST'])(
    'is cut for a gateway, which may try it elsewhere, and a 502 for others (%s)',
    async (method) => {
      await using sidecar = await runSidecar({ handler: (request) => request.socket.destroy() })

      const answers = [await call(sidecar.url, { method, headers: ofGateway }), await call(sidecar.url, { method })]

      expect(answers.map(({ status }) => status)).toEqual([0, 502])
    },
  )

  it('is what it was, not a refusal, when it has ended the function and its repeat reaches nobody', async () => {
    const ofBoth: number[][] = []
    for (const headers of [ofGateway, {}]) {
      await using fatal = await startFatalFunction()
      await using sidecar = await runSidecar()
      Object.assign(sidecar.runner, { origin: fatal.origin })
      const { status } = await call(sidecar.url, { headers })
      ofBoth.push([status, fatal.calls()])
    }

    expect(ofBoth).toEqual([
      [0, 1],
      [502, 1],
    ])
  })
})

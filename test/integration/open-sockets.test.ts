import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { openSockets } from '../support/open-sockets.ts'

guardAgainstLeaks()

it('names both ports of each open socket', async () => {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listens on TCP
  const client = connect({ host: '127.0.0.1', port })
  await Promise.all([once(client, 'connect'), once(server, 'connection')])

  const lines = openSockets()

  const [here, there] = [`127.0.0.1:${client.localPort}`, `127.0.0.1:${port}`]
  client.destroy()
  server.close()
  expect(lines).toContainEqual(expect.stringContaining(`local ${here}, remote ${there}`))
  expect(lines).toContainEqual(expect.stringContaining(`local ${there}, remote ${here}`))
  expect(lines).toContainEqual(expect.stringContaining(`local ${there}, remote none`))
})

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy in front of a Redis that can cut off the subscribers alone: their connections stand, and nothing comes any more. */
export interface SubscriberFreezer extends AsyncDisposable {
  readonly url: string
  /** Cuts off the subscribers that are connected now. */
  freeze(): void
}

/** Starts the proxy in front of a Redis on loopback. */
export async function startSubscriberFreezer(redisPort: number): Promise<SubscriberFreezer> {
  const subscribers = new Map<Socket, Socket>()
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(redisPort, '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    client.on('data', (piece) => {
      if (piece.includes('subscribe')) subscribers.set(server, client)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', () => resolve()))
  const { port } = proxy.address() as AddressInfo // listens on TCP
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => {
      for (const [server, client] of subscribers) server.unpipe(client).resume()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

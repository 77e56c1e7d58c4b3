import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Reply } from '../pipeline/reply.ts'

/** A connection that changed its protocol: its 101 is on the wire and bytes flow both ways until either side closes. */
export class TunnelReply extends Reply {
  readonly #client: Duplex
  readonly #upstream: Duplex

  constructor(client: Duplex, upstream: Duplex) {
    super(101, 'Switching Protocols', [])
    this.#client = client
    this.#upstream = upstream
    // Bytes are taken from the socket: a listener for data would start the flow before http-proxy has put back what came early.
    const { bytesWritten } = client as Socket // node:http hands out the TCP socket of the connection
    client.once('close', () => {
      upstream.destroy()
      this.finish('complete', (client as Socket).bytesWritten - bytesWritten)
    })
  }

  override sendTo(): void {
    // http-proxy wrote the head and moves the bytes.
  }

  override discard(): void {
    this.#client.destroy()
    this.#upstream.destroy()
  }
}

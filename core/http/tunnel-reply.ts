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
    let bytes = 0
    upstream.on('data', (piece: Buffer) => (bytes += piece.byteLength))
    client.once('close', () => {
      upstream.destroy()
      this.finish('complete', bytes)
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

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'

/** The two sides of a tunnel. */
export interface TunnelSides {
  readonly client: Duplex
  readonly upstream: Duplex
  readonly clock: Clock
}

/** How long after the end of one side the other may still send. Protocols that say goodbye, as WebSocket does, have done so before. */
const halfOpenMs = 5_000

/**
 * A connection that changed its protocol: its 101 is on the wire and bytes flow both ways until either side closes. When one side ends,
 * the other has five seconds: half a tunnel is of use to nobody, and one that stays open would hold its slot for ever.
 */
export class TunnelReply extends Reply {
  readonly #client: Duplex
  readonly #upstream: Duplex

  constructor({ client, upstream, clock }: TunnelSides) {
    super(101, 'Switching Protocols', [])
    this.#client = client
    this.#upstream = upstream
    // Bytes are taken from the socket: a listener for data would start the flow before http-proxy has put back what came early.
    const { bytesWritten } = client as Socket // node:http hands out the TCP socket of the connection
    let goodbye: Disposable | undefined
    const sayGoodbye = (): void => {
      if (!client.destroyed) goodbye ??= clock.after(halfOpenMs, () => client.destroy())
    }
    client.once('end', sayGoodbye)
    upstream.once('end', sayGoodbye).once('close', sayGoodbye)
    client.once('close', () => {
      goodbye?.[Symbol.dispose]()
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

import { connect as connectPlainly, type Socket } from 'node:net'
import { connect as connectSecurely, type ConnectionOptions } from 'node:tls'
import { AbstractConnector } from 'ioredis'
import type { RedisAddress } from './redis-topology.ts'

/** What counts here of the options of a client. */
interface SocketOptions extends RedisAddress {
  readonly tls?: ConnectionOptions
  readonly disconnectTimeout: number
}

/**
 * Makes the sockets of ioredis, so that no error of one goes unheard. ioredis listens to the first error only, and a TLS socket can
 * have two: that a server is refused, and the alert by which that server answers a handshake that was given up. Without a listener,
 * the second would end the process.
 */
export class SocketConnector extends AbstractConnector {
  readonly #options: SocketOptions

  /** @param options those of a client for one server */
  constructor(options: unknown) {
    const known = options as SocketOptions // as redis-clients.ts makes them
    super(known.disconnectTimeout)
    this.#options = known
  }

  /** Resolves with a socket that connects. @throws Error when the client was closed meanwhile, or its options are of no use */
  override async connect(): Promise<Socket> {
    this.connecting = true
    // A client that is closed as soon as it was made opens no socket. ioredis knows the message.
    await new Promise<void>((resolve) => process.nextTick(resolve))
    if (!this.connecting) throw new Error('Connection is closed.')
    const { host, port, tls } = this.#options
    const socket = tls === undefined ? connectPlainly({ host, port }) : connectSecurely({ host, port, ...tls })
    // Stays for the socket's whole life. ioredis asks for the first error of a socket that has ended before it could listen.
    socket.on('error', (error) => (this.firstError ??= error))
    this.stream = socket
    return socket
  }
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { errorMonitor, once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { OpenedStore } from '../../support/open-redis-store.ts'
import { startRedis } from '../../support/redis-servers.ts'

/** Passes everything on to a server, and what that answers when it has said all, in one piece. */
class LateAnswers implements AsyncDisposable {
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#join(client))

  private constructor(target: number) {
    this.#target = target
  }

  static async before(target: number): Promise<LateAnswers> {
    const late = new LateAnswers(target)
    await once(late.#server.listen(0, '127.0.0.1'), 'listening')
    return late
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}` // listens on TCP
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true })
    const pieces: Buffer[] = []
    client.pipe(server)
    server.on('data', (piece: Buffer) => pieces.push(piece))
    server.once('end', () => client.end(Buffer.concat(pieces)))
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => this.#sockets.delete(socket))
    }
  }
}

/** The errors of all sockets that this process connects, by their codes, and of those the ones that nobody listens to. */
class SocketErrors implements Disposable {
  readonly all = new Set<string>()
  readonly unheard: string[] = []

  constructor() {
    subscribe('net.client.socket', this.#watch)
  }

  [Symbol.dispose](): void {
    unsubscribe('net.client.socket', this.#watch)
  }

  readonly #watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket } // as the channel is documented
    socket.on(errorMonitor, (error: NodeJS.ErrnoException) => {
      this.all.add(error.code ?? error.message)
      if (socket.listenerCount('error') === 0) this.unheard.push(error.code ?? error.message)
    })
  }
}

describe('A store whose handshakes are given up while their servers are refused', () => {
  guardAgainstLeaks()

  it.each([
    ['one server', 'rediss:', ''],
    ['Sentinels', 'rediss+sentinel:', '/main'],
    ['a Cluster', 'rediss+cluster:', ''],
  ])('hears both the refusal and the alert of %s', async (_, scheme, path) => {
    await using server = await startRedis({ tls: true })
    await using late = await LateAnswers.before(server.port)
    using errors = new SocketErrors()

    await using opened = new OpenedStore(`${scheme}//${late.address}${path}`, { timeoutMs: 50 })
    await eventually('both', () => errors.all.size >= 2, 20_000)

    expect(opened.subscribed).toBe(0)
    expect([...errors.all]).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_SSL_TLSV1_ALERT_DECODE_ERROR'])
    expect(errors.unheard).toEqual([])
  })
})

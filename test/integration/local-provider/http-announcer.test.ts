import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { functionIdentity } from '../../../core/provider/function-identity.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { HttpAnnouncer } from '../../../plugins/local-provider/announcements/http-announcer.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { machineMs } from '../../support/machine-clock.ts'

/** A gateway as far as announcements concern it. */
class ListeningGateway implements AsyncDisposable {
  readonly heard: { path: string; authorization: string | undefined; type: string | undefined; body: unknown }[] = []
  answer: (response: ServerResponse) => void = (response) => void response.writeHead(202).end()
  port = 0
  readonly #server: Server = createServer((request, response) => void this.#take(request, response))

  static async start(): Promise<ListeningGateway> {
    const gateway = new ListeningGateway()
    gateway.#server.listen(0, '127.0.0.1')
    await once(gateway.#server, 'listening')
    gateway.port = (gateway.#server.address() as AddressInfo).port // a TCP server's address is always of this type
    return gateway
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer) // a byte stream yields Buffers
    const { authorization, 'content-type': type } = request.headers
    this.heard.push({
      path: request.url ?? '',
      authorization,
      type,
      body: JSON.parse(Buffer.concat(pieces).toString()),
    })
    this.answer(response)
  }
}

const hello = functionIdentity('hello', 'openfaas-fn')
const clock = new SystemClock()

describe('HttpAnnouncer', () => {
  guardAgainstLeaks('file')
  let http: UndiciHttpClient
  beforeAll(() => void (http = new UndiciHttpClient({ clock, connectTimeoutMs: 2_000 })))
  afterAll(() => http[Symbol.asyncDispose]())

  function announcerTo(gateways: readonly { readonly port: number }[], path = ''): HttpAnnouncer {
    const targets = gateways.map(({ port }) => ({
      url: new URL(`http://127.0.0.1:${port}/${path}`),
      authorization: 'Basic YTpi',
    }))
    return new HttpAnnouncer({ http, clock, targets })
  }

  it('tells one gateway, with its credentials, below its base path', async () => {
    await using first = await ListeningGateway.start()
    await using second = await ListeningGateway.start()

    await announcerTo([first, second], 'base/').announceReady(hello, 2)

    expect(first.heard).toEqual([
      {
        path: '/base/system/function-ready',
        authorization: 'Basic YTpi',
        type: 'application/json',
        body: { name: 'hello', namespace: 'openfaas-fn', available: 2 },
      },
    ])
    expect(second.heard).toEqual([])
  })

  it.each([401, 404, 500, 301])(
    'goes on to the next one when the first answers %i, and stays there',
    async (status) => {
      await using first = await ListeningGateway.start()
      await using second = await ListeningGateway.start()
      first.answer = (response) => void response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end('no')
      const announcer = announcerTo([first, second])

      await announcer.announceReady(hello)
      await announcer.announceReady(hello)

      expect([first.heard.length, second.heard.length]).toEqual([1, 2])
    },
  )

  it('goes on when the first refuses connections, dies inside the call or hangs', async () => {
    const gone = await ListeningGateway.start()
    await gone[Symbol.asyncDispose]()
    await using dying = await ListeningGateway.start()
    dying.answer = (response) => void response.destroy()
    await using hanging = await ListeningGateway.start()
    hanging.answer = () => {}
    await using alive = await ListeningGateway.start()
    const startedMs = machineMs()

    await announcerTo([gone, dying, hanging, alive]).announceReady(hello)

    expect(alive.heard).toHaveLength(1)
    expect(machineMs() - startedMs).toBeLessThan(1_500)
  })

  it('tries a gateway that was gone for a moment once more', async () => {
    await using gateway = await ListeningGateway.start()
    gateway.answer = (response) => {
      response.writeHead(gateway.heard.length === 1 ? 503 : 200).end()
    }

    await announcerTo([gateway]).announceReady(hello)

    expect(gateway.heard).toHaveLength(2)
  })

  it('gives up when nobody takes it, saying what each answered, without credentials', async () => {
    await using first = await ListeningGateway.start()
    await using second = await ListeningGateway.start()
    first.answer = (response) => void response.writeHead(401).end()
    second.answer = (response) => void response.writeHead(503).end()

    await expect(announcerTo([first, second]).announceReady(hello)).rejects.toThrow(
      `127.0.0.1:${first.port} answered 401; 127.0.0.1:${second.port} answered 503`,
    )
    expect(first.heard).toHaveLength(2)
  })

  it('is content without gateways', async () => {
    await expect(announcerTo([]).announceReady(hello)).resolves.toBeUndefined()
  })
})

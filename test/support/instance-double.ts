import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  gatewayHeader,
  instanceSecret,
  type InstanceRecord,
  type InstanceReport,
  refusalHeader,
  type Refusal,
  reportsPath,
  signReport,
  slotHeader,
  slotsPath,
  slotsToken,
} from '#core'
import { InstanceSlots } from './instance-slots.ts'

/** The key that doubles and the gateways of tests share. */
export const instanceTestKey = 'the key of instance doubles'

/** One call that was let in. */
export interface DoubledCall {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Answers it. */
  finish(status?: number): void
}

/** What a test decides about an instance. */
export interface InstanceDoubleOptions {
  readonly name?: string
  readonly namespace?: string
  /** Default 0: no limit. */
  readonly limit?: number
  /** Milliseconds until calls are answered; absent: a test answers them. */
  readonly workMs?: number
  /** Default {@link instanceTestKey}. */
  readonly key?: string
}

/**
 * An instance behind a sidecar, as far as a gateway can tell: a real server that reports to gateways, lets no more calls in than its
 * limit, gives slots away in turn, and counts what should not happen.
 */
export class InstanceDouble implements AsyncDisposable {
  readonly id = randomUUID()
  readonly slots: InstanceSlots
  /** Calls that it works on. */
  readonly calls: DoubledCall[] = []
  /** Calls that were let in so far. */
  served = 0
  /** Calls that were refused so far, by reason. */
  readonly refused: Record<Refusal, number> = { full: 0, draining: 0, not_ready: 0, mistaken: 0 }
  /** The most calls that it worked on at a time. */
  mostInFlight = 0
  /** Slots of the calls that were let in; undefined where one came without. */
  readonly slotsUsed: (string | undefined)[] = []
  /** Ids of gateways that sent calls. */
  readonly gateways = new Set<string>()
  /** Why it lets nothing in, whatever it reports. */
  refuses: Refusal | undefined
  /** Told of each call that was let in. */
  onCall: ((call: DoubledCall) => void) | undefined
  readonly #options: InstanceDoubleOptions
  readonly #key: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0
  #revision = Date.now() * 1000

  private constructor(options: InstanceDoubleOptions) {
    this.#options = options
    this.#key = options.key ?? instanceTestKey
    this.slots = new InstanceSlots(options.limit ?? 0)
    this.#server = createServer((request, response) => {
      response.on('error', () => {})
      this.#take(request, response).catch(() => response.destroy())
    })
    this.#server.on('upgrade', (request, socket: Duplex) => this.#upgrade(request, socket))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
  }

  /** Starts one that has reported to nobody yet. */
  static async start(options: InstanceDoubleOptions = {}): Promise<InstanceDouble> {
    const double = new InstanceDouble(options)
    await new Promise<void>((resolve) => double.#server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve))
    double.#port = (double.#server.address() as AddressInfo).port // a TCP server's address is always of this type
    return double
  }

  /** Reports to gateways, by their base URLs. @throws Error when one of them does not take the report */
  async report(gateways: readonly string[], phase: InstanceRecord['phase'] = 'ready'): Promise<void> {
    this.#revision += 1
    const text = signReport(this.#reportOf(phase), this.#key)
    await Promise.all(
      gateways.map(async (url) => {
        const answer = await fetch(`${url}${reportsPath}`, { method: 'POST', body: text })
        if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`)
        await answer.text()
      }),
    )
  }

  /** Answers the oldest call. */
  finishOldest(): void {
    const [oldest] = this.calls
    if (oldest === undefined) throw new Error('there is no call to finish')
    oldest.finish()
  }

  /** Ends as a killed process does: every connection is reset, new ones are refused. */
  kill(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.slots[Symbol.dispose]()
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #reportOf(phase: InstanceRecord['phase']): InstanceReport {
    const { name = 'echo', namespace = '', limit = 0 } = this.#options
    const where = { address: '127.0.0.1', port: this.#port, adminPort: 0, secure: false }
    const record = { id: this.id, name, namespace, ...where, limit, phase, revision: this.#revision }
    const inFlight = this.slots.inFlight
    return { record, load: { inFlight, queued: 0, streams: 0, idleForMs: 0 }, sentAtMs: Date.now() }
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith(slotsPath) === true) return this.#slots(request, response)
    const slot = request.headers[slotHeader]
    const refusal = this.#refusalFor(typeof slot === 'string' ? slot : undefined)
    if (refusal !== undefined) {
      this.refused[refusal] += 1
      response.writeHead(503, { [refusalHeader]: refusal, 'Content-Length': 0 }).end()
      return
    }
    this.slotsUsed.push(typeof slot === 'string' ? slot : undefined)
    this.gateways.add(String(request.headers[gatewayHeader]))
    await this.#work(request, response)
  }

  /** Becomes an echo, for as long as the connection lasts. */
  #upgrade(request: IncomingMessage, socket: Duplex): void {
    const slot = request.headers[slotHeader]
    const refusal = this.#refusalFor(typeof slot === 'string' ? slot : undefined)
    socket.on('error', () => socket.destroy())
    if (refusal !== undefined) {
      this.refused[refusal] += 1
      socket.end(
        `HTTP/1.1 503 Refused\r\n${refusalHeader}: ${refusal}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )
      return
    }
    this.served += 1
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.pipe(socket)
    socket.once('close', () => this.slots.free())
  }

  #refusalFor(slot: string | undefined): Refusal | undefined {
    if (this.refuses !== undefined) return this.refuses
    return this.slots.take(slot) ? undefined : 'full'
  }

  async #work(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.served += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.slots.inFlight)
    const ended = Promise.withResolvers<number>()
    request.once('close', () => {
      if (!request.complete) ended.resolve(0)
    })
    response.once('close', () => ended.resolve(0))
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer) // a byte stream yields Buffers
    const call: DoubledCall = {
      id: String(request.headers['x-call-id']),
      method: request.method ?? '',
      target: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(pieces).toString(),
      finish: (status = 200) => ended.resolve(status),
    }
    this.calls.push(call)
    this.onCall?.(call)
    const { workMs } = this.#options
    const timer = workMs === undefined ? undefined : setTimeout(() => call.finish(), workMs)
    const status = await ended.promise
    clearTimeout(timer)
    this.calls.splice(this.calls.indexOf(call), 1)
    if (status > 0) {
      response.writeHead(status, { 'X-Instance': this.id })
      response.end(call.body)
    }
    this.slots.free()
  }

  async #slots(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (
      request.headers.authorization !==
      `Bearer ${slotsToken(instanceSecret(this.#key, this.#reportOf('ready').record))}`
    ) {
      response.writeHead(404).end()
      return
    }
    if (request.method === 'DELETE') {
      this.slots.giveBack(request.url?.slice(slotsPath.length + 1) ?? '')
      response.writeHead(204).end()
      return
    }
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer) // a byte stream yields Buffers
    if (this.refuses === 'draining') {
      response.writeHead(410).end('{"slots":[]}')
      return
    }
    this.#ask(JSON.parse(Buffer.concat(pieces).toString()), response)
  }

  #ask(wish: { gateway: string; want: number; waitMs: number }, response: ServerResponse): void {
    const answer = (slots: readonly string[]): void => {
      clearTimeout(timer)
      // What could not be delivered is free again.
      if (response.destroyed) for (const slot of slots) this.slots.giveBack(slot)
      else response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ slots }))
    }
    const question = { gateway: wish.gateway, want: wish.want, answer }
    const giveUp = (): void => {
      this.slots.withdraw(question)
      answer([])
    }
    const timer = setTimeout(giveUp, wish.waitMs)
    response.once('close', () => {
      if (response.writableFinished) return
      clearTimeout(timer)
      this.slots.withdraw(question)
    })
    this.slots.ask(question)
  }
}

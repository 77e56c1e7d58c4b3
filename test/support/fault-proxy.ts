import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { FaultPump } from './fault-pump.ts'

/** The two ways that bytes go through a {@link FaultProxy}. */
export type Way = 'toServer' | 'toClient'

/**
 * What a {@link FaultProxy} does to connections, those that are open already included:
 * - `pass`: nothing
 * - `latency`: every byte arrives `ms` later than it would, each way
 * - `slice`: bytes arrive in pieces of `bytes`, each in a packet of its own
 * - `stall`: nothing arrives; what is sent arrives when the mode ends, as after a cable was out for a while
 * - `blackHole`: connections are accepted and nothing ever arrives, ends of connections included. A connection that lost
 *   something stays dead when the mode ends: its client finds out by a time limit only
 * - `halfOpen`: a black hole one way
 * - `reset`: open connections are reset, new ones refused
 * - `refuse`: new connections are refused, open ones go on
 */
export type FaultMode =
  | { readonly kind: 'pass' | 'stall' | 'blackHole' | 'reset' | 'refuse' }
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'slice'; readonly bytes: number }
  | { readonly kind: 'halfOpen'; readonly lost: Way }

/** What went through a {@link FaultProxy}. */
export interface FaultCounts {
  /** Connections accepted. */
  connections: number
  /** Bytes that arrived. */
  toServer: number
  toClient: number
  /** Bytes that were lost. */
  lost: number
}

interface Pair {
  readonly client: Socket
  /** Absent for a connection that never got through. */
  readonly server?: Socket
}

/** A TCP proxy on loopback whose faults a test switches while connections are open. */
export class FaultProxy implements AsyncDisposable {
  readonly counts: FaultCounts = { connections: 0, toServer: 0, toClient: 0, lost: 0 }
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pairs = new Set<Pair>()
  #server: Server | undefined
  #port = 0
  #mode: FaultMode = { kind: 'pass' }
  #modeChange = Promise.withResolvers<void>()

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
  }

  /** Starts a proxy in front of `host:port` or a URL, in mode `pass`. */
  static async start(target: string | number | URL): Promise<FaultProxy> {
    const url = typeof target === 'number' ? new URL(`tcp://127.0.0.1:${target}`) : new URL(target)
    const proxy = new FaultProxy({ host: url.hostname, port: Number(url.port) })
    await proxy.#listen()
    return proxy
  }

  /** The port that clients connect to; stays the same. */
  get port(): number {
    return this.#port
  }

  /** The URL of what stands behind it, with the proxy's own address. */
  through(url: string | URL): string {
    const changed = new URL(url)
    changed.hostname = '127.0.0.1'
    changed.port = String(this.#port)
    return changed.href
  }

  get mode(): FaultMode {
    return this.#mode
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size
  }

  /** Changes the mode, for open connections too. Resolves when new connections meet it. */
  async set(mode: FaultMode | Exclude<FaultMode['kind'], 'latency' | 'slice' | 'halfOpen'>): Promise<void> {
    this.#mode = typeof mode === 'string' ? { kind: mode } : mode
    this.#modeChange.resolve()
    this.#modeChange = Promise.withResolvers()
    const { kind } = this.#mode
    if (kind === 'reset') this.#resetAll()
    if (kind === 'reset' || kind === 'refuse') await this.#close()
    else await this.#listen()
  }

  /** Resets the connections that are open now, whatever the mode. */
  cut(): void {
    this.#resetAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#mode = { kind: 'reset' }
    this.#modeChange.resolve()
    this.#resetAll()
    await this.#close()
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: '127.0.0.1', port: this.#port }, resolve)
    })
    this.#port = (server.address() as AddressInfo).port // a TCP server's address is always of this type
  }

  /** Stops listening; open connections stay. */
  async #close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // Its callback waits for open connections; the port is free at once.
    server?.close()
  }

  #resetAll(): void {
    for (const { client, server } of this.#pairs) {
      reset(client)
      // One that is still connecting would be reset when it is connected, if ever.
      if (server?.connecting === true) server.destroy()
      else if (server !== undefined) reset(server)
    }
  }

  #accept(client: Socket): void {
    this.counts.connections += 1
    client.on('error', () => {})
    // It waited to be accepted while the proxy stopped listening.
    if (this.#server === undefined) reset(client)
    else if (this.#mode.kind === 'blackHole') this.#swallow(client)
    else this.#join(client, connect({ ...this.#target, allowHalfOpen: true, noDelay: true }))
  }

  /** The server never hears of it. */
  #swallow(client: Socket): void {
    const pair = { client }
    this.#pairs.add(pair)
    client.on('data', (piece: Buffer) => void (this.counts.lost += piece.byteLength))
    client.once('close', () => this.#pairs.delete(pair))
  }

  #join(client: Socket, server: Socket): void {
    const pair = { client, server }
    this.#pairs.add(pair)
    const deps = { mode: () => this.#mode, modeChange: () => this.#modeChange.promise, counts: this.counts }
    const pumps = [
      new FaultPump({ ...deps, from: client, to: server, way: 'toServer' }),
      new FaultPump({ ...deps, from: server, to: client, way: 'toClient' }),
    ]
    server.on('error', () => {})
    const onClose = (other: Socket) => (hadError: boolean) => {
      if (client.destroyed && server.destroyed) this.#pairs.delete(pair)
      // Ends go the way of the bytes before them; a reset overtakes them, but gets lost where bytes do.
      if (hadError && !pumps.some(({ loses }) => loses)) reset(other)
    }
    client.once('close', onClose(server))
    server.once('close', onClose(client))
  }
}

/** Resets a connection, at once or as soon as an end that is being sent is out: node fails to reset before, and keeps the handle. */
function reset(socket: Socket): void {
  const { writableEnded, writableFinished, writableLength } = socket
  // The end is sent after the last byte.
  const isEnding = writableEnded && !writableFinished && writableLength === 0
  if (isEnding) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}

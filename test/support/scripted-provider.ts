import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { machineMs } from './machine-clock.ts'
import { type CallKind, type Fault, letDown } from './provider-faults.ts'
import { fenceOf, ScaleDecisions } from './scale-decisions.ts'
import { type FunctionScript, ScriptedFunction } from './scripted-function.ts'

/** One call that the provider received. */
export interface ProviderCall {
  readonly kind: CallKind
  /** Instant of the machine's clock at which its head was read. */
  readonly atMs: number
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** What it came by. */
  readonly connection: Socket
}

/** A fault in force. */
interface ActiveFault {
  readonly kinds: ReadonlySet<CallKind>
  readonly fault: Fault
  times: number
}

/** Calls of the management API that concern functions: what a warm request must never cause. */
export const managementKinds: readonly CallKind[] = ['status', 'scale', 'list', 'namespaces']

/**
 * A provider on loopback that does what a test says: a real HTTP server with the OpenFaaS provider API and the functions
 * behind it. Counts every call; fails on demand. Takes thousands of connections.
 */
export class ScriptedProvider implements AsyncDisposable {
  /** Every call received, in order. */
  readonly calls: ProviderCall[] = []
  /** What `GET /system/namespaces` lists. */
  namespaces: readonly string[] = []
  /** Namespace of functions that are called without one. */
  defaultNamespace = ''
  /** What became of scale calls that were taken. */
  readonly scales = new ScaleDecisions()
  /** Sees every call first. One for which it returns a promise is held until that resolves, or loses its connection when it rejects. */
  intercept: ((call: ProviderCall) => Promise<void> | undefined) | undefined
  readonly #functions = new Map<string, ScriptedFunction>()
  readonly #sockets = new Set<Duplex>()
  #faults: ActiveFault[] = []
  #server: Server
  #port = 0

  constructor() {
    this.#server = this.#createServer()
  }

  /** Starts one with these functions. */
  static async start(...scripts: readonly FunctionScript[]): Promise<ScriptedProvider> {
    const provider = new ScriptedProvider()
    for (const script of scripts) provider.add(script)
    await provider.accept()
    return provider
  }

  /** Base URL, ending in `/`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`
  }

  /** Deploys a function, in the place of one of the same name. */
  add(script: FunctionScript): ScriptedFunction {
    const added = new ScriptedFunction(script)
    this.#functions.get(keyOf(added.name, added.namespace))?.[Symbol.dispose]()
    this.#functions.set(keyOf(added.name, added.namespace), added)
    return added
  }

  /** Removes a function. */
  remove(name: string, namespace = ''): void {
    this.#functions.get(keyOf(name, namespace))?.[Symbol.dispose]()
    this.#functions.delete(keyOf(name, namespace))
  }

  /** A function by its name. */
  function(name: string, namespace = ''): ScriptedFunction {
    const found = this.#functions.get(keyOf(name, namespace))
    if (found === undefined) throw new Error(`the script has no function "${name}"`)
    return found
  }

  /** How many calls of one kind came, to any function or to the named one. */
  count(kind: CallKind, name?: string): number {
    return this.calls.filter((call) => call.kind === kind && (name === undefined || nameIn(call.target) === name))
      .length
  }

  /** Lets callers down from now on: every call of these kinds, or the next `times`. Disposing ends it. */
  fail(kinds: CallKind | readonly CallKind[], fault: Fault, times = Infinity): Disposable {
    const active = { kinds: new Set(typeof kinds === 'string' ? [kinds] : kinds), fault, times }
    this.#faults.push(active)
    return { [Symbol.dispose]: () => void (this.#faults = this.#faults.filter((one) => one !== active)) }
  }

  /** Refuses connections from now on and cuts those that are open. */
  async refuse(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Listens (again), on the port it had. */
  async accept(): Promise<void> {
    if (this.#server.listening) return
    this.#server = this.#createServer()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: '127.0.0.1', port: this.#port, backlog: 4096 }, resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port // a TCP server's address is always of this type
  }

  /** Open connections of callers. */
  get connections(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#functions.values()) one[Symbol.dispose]()
    if (this.#server.listening) await this.refuse()
  }

  #createServer(): Server {
    const server = createServer({
      maxHeaderSize: 8 * 1024 * 1024,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 60_000,
      connectionsCheckingInterval: 60_000,
    })
    server.maxHeadersCount = 0
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
    server.on('request', (request, response) => this.#take(request, response))
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    return server
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const call = this.#record(request)
    request.on('error', () => {})
    response.on('error', () => {})
    const held = this.intercept?.(call)
    const answer = (): void => this.#answer(call.kind, request, response)
    if (held === undefined) answer()
    else held.then(answer, () => response.destroy())
  }

  #answer(kind: CallKind, request: IncomingMessage, response: ServerResponse): void {
    const fault = this.#faultFor(kind)
    if (fault !== undefined) letDown(fault, response)
    else if (kind === 'invoke') this.#invoke(request, response)
    else if (kind === 'status') this.#status(request, response)
    else if (kind === 'scale') this.#scale(request, response).catch(() => response.destroy())
    else sendJson(response, this.#plain(kind, request))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#record(request)
    const found = this.#find(request.url ?? '')
    if (found?.upgrade !== undefined && found.takesInvocation()) found.upgrade(request, socket, head)
    else
      socket.end(
        'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nX-OpenFaaS-Internal: proxy\r\nConnection: close\r\n\r\n',
      )
  }

  #record({ method = '', url: target = '', headers, socket }: IncomingMessage): ProviderCall {
    const kind = kindOf(method, target)
    const call = { kind, atMs: machineMs(), method, target, headers, connection: socket }
    this.calls.push(call)
    return call
  }

  #faultFor(kind: CallKind): Fault | undefined {
    const active = this.#faults.find((one) => one.kinds.has(kind) && one.times > 0)
    if (active === undefined) return undefined
    active.times -= 1
    return active.fault
  }

  #find(target: string): ScriptedFunction | undefined {
    const name = nameIn(target)
    const asked = target.startsWith('/function/') ? '' : namespaceIn(target)
    const dot = name.lastIndexOf('.')
    return (
      this.#functions.get(keyOf(name, asked === '' ? this.defaultNamespace : asked)) ??
      this.#functions.get(keyOf(name.slice(0, dot), name.slice(dot + 1)))
    )
  }

  #status(request: IncomingMessage, response: ServerResponse): void {
    const found = this.#find(request.url ?? '')
    if (found === undefined) response.writeHead(404).end()
    else sendJson(response, found.status())
  }

  async #scale(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer) // a byte stream yields Buffers
    const found = this.#find(request.url ?? '')
    if (found === undefined) {
      response.writeHead(404).end()
      return
    }
    const wish = JSON.parse(Buffer.concat(pieces).toString()) as { replicas: number } // the API's own shape
    const refusedFor = this.scales.decide(found, { replicas: wish.replicas, fence: fenceOf(request) })
    if (refusedFor === undefined) response.writeHead(202).end()
    else response.writeHead(409, { 'X-Pilotlight-Fence': String(refusedFor) }).end('older fence\n')
  }

  #plain(kind: CallKind, request: IncomingMessage): unknown {
    request.resume()
    if (kind === 'namespaces') return this.namespaces
    if (kind === 'info') return { provider: 'scripted', version: { release: '1', sha: '0' }, orchestration: 'script' }
    if (kind !== 'list') return { ok: true }
    const wanted = namespaceIn(request.url ?? '') || this.defaultNamespace
    return [...this.#functions.values()].filter((one) => one.namespace === wanted).map((one) => one.status())
  }

  #invoke(request: IncomingMessage, response: ServerResponse): void {
    const found = this.#find(request.url ?? '')
    if (found === undefined) {
      response.writeHead(404).end()
    } else if (found.takesInvocation()) {
      found.handler(request, response)
    } else {
      request.resume()
      response.writeHead(503, { 'Content-Type': 'text/plain', 'X-OpenFaaS-Internal': 'proxy' })
      response.end(`No endpoints available for: ${found.name}.\n`)
    }
  }
}

function keyOf(name: string, namespace: string): string {
  return `${name}/${namespace}`
}

function kindOf(method: string, target: string): CallKind {
  const path = target.split('?', 1)[0] ?? ''
  if (path.startsWith('/function/')) return 'invoke'
  if (path.startsWith('/system/function/')) return 'status'
  if (path.startsWith('/system/scale-function/')) return 'scale'
  if (path === '/system/functions' && method === 'GET') return 'list'
  if (path === '/system/namespaces') return 'namespaces'
  if (path === '/system/info') return 'info'
  return path === '/healthz' ? 'health' : 'other'
}

/** The function's name in a target: the segment after the route's own words. */
export function nameIn(target: string): string {
  return /^\/(?:function|system\/function|system\/scale-function)\/([^/?]*)/.exec(target)?.[1] ?? ''
}

function namespaceIn(target: string): string {
  return new URLSearchParams(target.split('?')[1]).get('namespace') ?? ''
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

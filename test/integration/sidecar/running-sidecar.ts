import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  createLeanForwarder,
  type Forwarder,
  instanceSecret,
  type Reply,
  slotsToken,
  SystemClock,
} from '../../../core/lean.ts'
import type { FunctionCall, FunctionRunner } from '../../../sidecar/function/function-runner.ts'
import { readSettings } from '../../../sidecar/settings/read-settings.ts'
import { Sidecar } from '../../../sidecar/sidecar.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

/** Answers a call as the function. */
export type FunctionHandler = (request: IncomingMessage, response: ServerResponse) => void

/** How a sidecar is run for a test. */
export interface RunningOptions {
  readonly handler?: FunctionHandler
  readonly upgrade?: (request: IncomingMessage, socket: Duplex) => void
  /** Variables besides those that the harness sets. */
  readonly env?: Readonly<Record<string, string>>
  /** Default true. */
  readonly isReady?: boolean
}

/** The key of every instance here. */
export const instanceKey = 'the key of the tests'

/** A function that is ready when a test says so, and answers over real connections. */
export class FakeRunner implements FunctionRunner {
  isReady: boolean
  reason = ''
  readonly origin: string
  /** Grace periods with which it was stopped. */
  readonly stops: number[] = []
  readonly #forwarder: Forwarder = createLeanForwarder(new SystemClock(), {
    maxConnectionsPerUpstream: 4_096,
    maxHeaderBytes: 65_536,
    connectTimeoutMs: 1_000,
  })
  #onChange: () => void = () => {}

  constructor(origin: string, isReady: boolean) {
    this.origin = origin
    this.isReady = isReady
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
  }

  become(isReady: boolean, reason = ''): void {
    this.isReady = isReady
    this.reason = reason
    this.#onChange()
  }

  answer({ request, headers, timeoutMs }: FunctionCall): Promise<Reply> {
    return this.#forwarder.forward({ request, origin: this.origin, path: request.target, headers, timeoutMs })
  }

  async stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forwarder[Symbol.asyncDispose]()
  }
}

/** A sidecar in this process, in front of a server in this process. */
export interface RunningSidecar extends AsyncDisposable {
  /** Where calls go. */
  readonly url: string
  readonly adminUrl: string
  readonly sidecar: Sidecar
  readonly runner: FakeRunner
  readonly log: FakeLogger
  /** Calls that the function works on, and the most that it worked on at a time. */
  readonly seen: { now: number; most: number; total: number }
  /** What a gateway shows to be given slots. */
  readonly authorization: string
}

/** Starts a sidecar on free ports. */
export async function runSidecar({
  handler = hello,
  upgrade,
  env = {},
  isReady = true,
}: RunningOptions = {}): Promise<RunningSidecar> {
  const seen = { now: 0, most: 0, total: 0 }
  const server = createServer((request, response) => {
    count(seen, response)
    handler(request, response)
  })
  if (upgrade !== undefined) server.on('upgrade', upgrade)
  const port = await listen(server)
  const runner = new FakeRunner(`http://127.0.0.1:${port}`, isReady)
  const log = new FakeLogger()
  const environment = { ...basics, upstream_url: runner.origin, ...env }
  const { settings, faults } = readSettings({ environment, command: [], directory: '/', random: Math.random })
  if (faults.length > 0) throw new Error(JSON.stringify(faults))
  const sidecar = new Sidecar(settings, { clock: new SystemClock(), random: Math.random, log, runner })
  const addresses = await sidecar.start()
  return {
    url: `http://127.0.0.1:${addresses.port}`,
    adminUrl: `http://127.0.0.1:${addresses.adminPort}`,
    sidecar,
    runner,
    log,
    seen,
    authorization: `Bearer ${slotsToken(instanceSecret(instanceKey, settings.instance))}`,
    async [Symbol.asyncDispose]() {
      await sidecar[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const basics = {
  port: '0',
  PILOTLIGHT_ADMIN_PORT: '0',
  PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
  PILOTLIGHT_INSTANCE_KEY: instanceKey,
  PILOTLIGHT_FUNCTION: 'resize.fn',
  PILOTLIGHT_QUIET_PERIOD: '0s',
}

/** Counts the function's own view: a call is under way until its answer is on its way out, or its connection is gone. */
function count(seen: { now: number; most: number; total: number }, response: ServerResponse): void {
  seen.now += 1
  seen.total += 1
  seen.most = Math.max(seen.most, seen.now)
  let isOver = false
  const over = (): void => {
    if (!isOver) seen.now -= 1
    isOver = true
  }
  response.once('finish', over)
  response.once('close', over)
}

function hello(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.end('hello\n')
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)) // a TCP server's address
  })
}

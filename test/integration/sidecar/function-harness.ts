import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Clock, GatewayError } from '#core/lean'
import { endToEndHeaders, EngineForwarder, H1Forwarder, HttpListener, LazyForwarder, SystemClock } from '#core/lean'
import { createFunctionRunner } from '../../../sidecar/function/create-runner.ts'
import type { FunctionRunner } from '../../../sidecar/function/function-runner.ts'
import type { FunctionSettings } from '../../../sidecar/function/function-settings.ts'
import { eventually } from '../../support/eventually.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import type { RawResponse } from '../../support/raw-response.ts'

/** The test function that is a server. */
export const serverProgram: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('function-program.js', import.meta.url)),
]

/** What a test may decide about a function. */
export interface FunctionOptions extends Partial<FunctionSettings> {
  /** Longest time of a call, milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** Replaces the stream that takes the function's output. */
  readonly stdout?: Writable
  /** The runner's. Default: that of the machine. */
  readonly clock?: Clock
}

/** Whether the process runs, and is no zombie. */
export function isAlive(pid: number | string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** A function behind a bare listener: what the runner says and answers is seen as it is. */
export class FunctionHarness implements AsyncDisposable {
  readonly runner: FunctionRunner
  readonly directory: string
  /** Lines that were written, by stream. */
  readonly lines: { readonly stdout: string[]; readonly stderr: string[] } = { stdout: [], stderr: [] }
  /** `isReady` and `reason` at every change. */
  readonly changes: { readonly isReady: boolean; readonly reason: string }[] = []
  /** What calls failed with, in order. */
  readonly errors: GatewayError[] = []
  readonly #forwarder: EngineForwarder
  readonly #listener: HttpListener
  #url = ''

  private constructor({ timeoutMs = 10_000, stdout, clock = new SystemClock(), ...settings }: FunctionOptions) {
    const options = { maxConnectionsPerUpstream: 100, maxHeaderBytes: 65_536, connectTimeoutMs: 1_000 }
    const httpProxy = new LazyForwarder(async () => {
      const { HttpProxyForwarder } = await import('../../../core/http/http-proxy-forwarder.ts')
      return new HttpProxyForwarder({ clock, options })
    })
    this.#forwarder = new EngineForwarder({
      plain: new H1Forwarder({ clock, options, fallback: httpProxy }),
      httpProxy,
    })
    this.directory = mkdtempSync(join(tmpdir(), 'pilotlight-function-'))
    this.runner = createFunctionRunner(
      { ...usual, environment: { PATH: process.env['PATH'] ?? '' }, directory: this.directory, ...settings },
      {
        clock,
        random: () => 0.5,
        forwarder: this.#forwarder,
        output: { stdout: stdout ?? lineKeeper(this.lines.stdout), stderr: lineKeeper(this.lines.stderr) },
      },
    )
    this.#listener = new HttpListener({
      handle: async (request) => {
        const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
        try {
          return await this.runner.answer({ request, headers, timeoutMs })
        } catch (error) {
          this.errors.push(error as GatewayError) // the only kind that a runner throws
          throw error
        }
      },
      readTimeoutMs: 30_000,
      maxHeaderBytes: 1 << 20,
      maxHeaderLines: 1_000,
      replayBodyBytes: 64 * 1024,
      onFailure: () => {},
      onError: () => {},
      clock,
    })
  }

  static async start(options: FunctionOptions): Promise<FunctionHarness> {
    const harness = new FunctionHarness(options)
    harness.#url = `http://127.0.0.1:${await harness.#listener.listen('127.0.0.1', 0)}`
    harness.runner.start(() => {
      const { isReady, reason } = harness.runner
      harness.changes.push({ isReady, reason })
    })
    return harness
  }

  /** Starts the test server; resolves when it is ready. */
  static async serve(variables: Record<string, string> = {}, options: FunctionOptions = {}): Promise<FunctionHarness> {
    const environment = { PATH: process.env['PATH'] ?? '', ...variables }
    const harness = await FunctionHarness.start({ mode: 'http', command: serverProgram, environment, ...options })
    await harness.ready()
    return harness
  }

  /** Resolves when the function is ready. */
  async ready(): Promise<void> {
    await eventually(`readiness (${this.runner.reason})`, () => this.runner.isReady, 10_000)
  }

  /** Resolves with the reason as soon as it fits. */
  async reason(pattern: RegExp): Promise<string> {
    await eventually(`a reason like ${pattern}`, () => pattern.test(this.runner.reason), 10_000)
    return this.runner.reason
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.#url)
  }

  /** Sends one request on a connection of its own. */
  call(target: string, { method = 'GET', body = '', fields = [] }: CallOptions = {}): Promise<RawResponse> {
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
    return rawRequest(this.#url, requestBytes(method, target, [...length, ...fields]) + body, method)
  }

  /** Body of the answer to a GET. */
  async get(target: string): Promise<string> {
    return (await this.call(target)).body.toString()
  }

  /** First word of a file that the function writes into its working directory. */
  file(name: string): Promise<string> {
    const path = join(this.directory, name)
    return eventually(`the file ${name}`, () => readText(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
    await this.runner[Symbol.asyncDispose]()
    await this.#forwarder[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

interface CallOptions {
  readonly method?: string
  readonly body?: string
  readonly fields?: readonly string[]
}

const usual = {
  mode: 'classic',
  command: [],
  upstream: undefined,
  allowsRemoteUpstream: false,
  processRecords: undefined,
  maxProcesses: 100,
  readTimeoutMs: 0,
  startTimeoutMs: 0,
  readyPath: '',
  healthPath: '',
  healthIntervalMs: 50,
  prefixLogs: true,
  logLineLength: 8192,
  contentType: '',
} as const

function lineKeeper(lines: string[]): Writable {
  return new Writable({
    write(piece: Buffer, _encoding, done) {
      lines.push(...piece.toString().split('\n').slice(0, -1))
      done()
    },
  })
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

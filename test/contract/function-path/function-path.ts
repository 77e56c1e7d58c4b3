import type { IncomingMessage } from 'node:http'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type GatewayProcess, type GatewayProcessOptions, startGatewayProcess } from '../../support/gateway-process.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import type { RawFields, RawResponse } from '../../support/raw-response.ts'
import type { FunctionHandler, FunctionScript, ScriptedFunction } from '../../support/scripted-function.ts'
import { ScriptedProvider } from '../../support/scripted-provider.ts'

/** The engines that forward plain requests. */
export type Engine = 'undici' | 'http-proxy' | 'h1'

/** A request as the function got it. */
export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly fields: RawFields
  readonly body: Buffer
  readonly trailers: RawFields
}

/** A gateway with one running function, `echo`, behind a provider. */
export class FunctionPath implements AsyncDisposable {
  readonly provider: ScriptedProvider
  readonly gateway: GatewayProcess

  private constructor(provider: ScriptedProvider, gateway: GatewayProcess) {
    this.provider = provider
    this.gateway = gateway
  }

  /** Starts both; the function has been called once, so that the gateway knows it to be ready. */
  static async start(engine: Engine, options: GatewayProcessOptions = {}): Promise<FunctionPath> {
    await using starting = new AsyncDisposableStack()
    const provider = starting.use(await ScriptedProvider.start({ name: 'echo' }))
    const gateway = starting.use(
      await startGatewayProcess({
        ...options,
        env: { functions_provider_url: provider.url, PILOTLIGHT_ENGINE: engine, ...options.env },
      }),
    )
    await rawRequest(gateway.url, requestBytes('GET', '/function/echo'))
    starting.move()
    return new FunctionPath(provider, gateway)
  }

  get echo(): ScriptedFunction {
    return this.provider.function('echo')
  }

  /** Makes `handler` answer the function's calls until the end of the test. */
  serve(handler: FunctionHandler): void {
    this.echo.handler = handler
  }

  /** Deploys another function. */
  deploy(script: FunctionScript): ScriptedFunction {
    return this.provider.add(script)
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.gateway.url)
  }

  /** Sends one request on a connection of its own. */
  call(method: string, target = '/function/echo', fields: readonly string[] = [], body = ''): Promise<RawResponse> {
    return rawRequest(this.gateway.url, requestBytes(method, target, fields) + body, method)
  }

  /** Sends one request and resolves with what the function got, answered 200. */
  async seenBy(method: string, target: string, fields: readonly string[] = [], body = ''): Promise<SeenRequest> {
    const seen = Promise.withResolvers<SeenRequest>()
    this.serve((request, response) => {
      readWhole(request).then((whole) => {
        seen.resolve(whole)
        response.end()
      }, seen.reject)
    })
    const answer = await this.call(method, target, fields, body)
    if (answer.status !== 200) throw new Error(`expected 200, got ${answer.status}: ${answer.body.toString()}`)
    return seen.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.gateway[Symbol.asyncDispose]()
    } finally {
      await this.provider[Symbol.asyncDispose]()
    }
  }
}

/** Shares one function path among the tests of a file; each test finds `echo` as it was. */
export function useFunctionPath(engine: Engine, options: GatewayProcessOptions = {}): () => FunctionPath {
  let path: FunctionPath | undefined
  const current = (): FunctionPath => {
    if (path === undefined) throw new Error('the function path is not started')
    return path
  }
  guardAgainstLeaks('file')
  beforeAll(async () => {
    path = await FunctionPath.start(engine, options)
  })
  afterEach(async () => {
    await current().provider.accept()
    current().deploy({ name: 'echo' })
    if (current().gateway.isRunning) return
    const { output } = current().gateway
    await current()[Symbol.asyncDispose]()
    path = await FunctionPath.start(engine, options)
    throw new Error(`the gateway died:\n${output.slice(-2000)}`)
  })
  afterAll(() => path?.[Symbol.asyncDispose]())
  return current
}

/** Reads a request to its end. */
export async function readWhole(request: IncomingMessage): Promise<SeenRequest> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer) // a byte stream yields Buffers
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    fields: inPairs(request.rawHeaders),
    body: Buffer.concat(pieces),
    trailers: inPairs(request.rawTrailers),
  }
}

function inPairs(list: readonly string[]): RawFields {
  return list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ''] as const] : []))
}

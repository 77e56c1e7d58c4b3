import type { GatewayConfig } from '#core'
import { Gateway, type GatewayAddresses } from '../../../core/gateway.ts'
import { loadConfig } from '../../../core/config/load-config.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { rawRequest, requestBytes } from '../../support/raw-http.ts'
import type { RawResponse } from '../../support/raw-response.ts'
import { HandlerProvider, type SeenRequest } from '../../unit/plugins/provider-client/handler-provider.ts'

/** What else a test may choose. */
export interface Others {
  readonly answer?: HandlerProvider['answer']
  readonly config?: Partial<GatewayConfig>
}

/** A whole gateway before a provider whose answers a test writes by hand. */
export class SystemApi implements AsyncDisposable {
  readonly provider: HandlerProvider
  readonly log: FakeLogger
  readonly url: string
  readonly #gateway: Gateway
  readonly #metricsPort: number

  private constructor(provider: HandlerProvider, gateway: Gateway, at: GatewayAddresses & { log: FakeLogger }) {
    this.provider = provider
    this.#gateway = gateway
    this.log = at.log
    this.url = `http://127.0.0.1:${at.port}`
    this.#metricsPort = at.metricsPort
  }

  /**
   * Starts both. Functions without a namespace are in `fn`; the provider has no functions until a test says so.
   * @param env more variables, as OpenFaaS names them
   * @param others what the provider does while the gateway starts, and settings that no variable sets
   */
  static async start(env: Readonly<Record<string, string>> = {}, others: Others = {}): Promise<SystemApi> {
    await using starting = new AsyncDisposableStack()
    const provider = starting.use(await HandlerProvider.start(others.answer ?? emptyList))
    const variables = { functions_provider_url: provider.url.href, function_namespace: 'fn', ...env }
    const loaded = loadConfig({ argvConfigPath: undefined, flags: {}, env: variables, cwd: import.meta.dirname })
    const log = new FakeLogger()
    const local = { host: '127.0.0.1', port: 0, metricsPort: 0, prometheusUrl: undefined }
    const plugins = loaded.plugins.map(({ use, options }) => ({ use, options: quiet[use] ?? options }))
    const gateway = new Gateway({
      config: { ...loaded, ...local, plugins, ...others.config },
      clock: new SystemClock(),
      log,
    })
    const addresses = await gateway.start()
    starting.move()
    return new SystemApi(provider, gateway, { ...addresses, log })
  }

  /** Requests that the provider got since `serve`. */
  get seen(): readonly SeenRequest[] {
    return this.provider.seen
  }

  /** Makes the provider answer so from now on, and forgets what it has seen. */
  serve(answer: HandlerProvider['answer']): void {
    this.provider.seen.length = 0
    this.provider.answer = answer
  }

  call(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { method, redirect: 'manual', ...init })
  }

  /** Sends a target as it stands, on a connection of its own. */
  raw(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
    return rawRequest(this.url, requestBytes(method, target, [...fields, 'Connection: close']), method)
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    const { body } = await rawRequest(
      `http://127.0.0.1:${this.#metricsPort}`,
      requestBytes('GET', '/metrics', ['Connection: close']),
      'GET',
    )
    return body.toString()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway[Symbol.asyncDispose]()
    await this.provider[Symbol.asyncDispose]()
  }
}

/** Options that keep plugins from calling the provider by themselves, and make them lose patience soon. */
const quiet: Readonly<Record<string, unknown>> = {
  'provider-client': {
    feedInterval: '1h',
    maxAttempts: 1,
    listTimeout: '700ms',
    scaleTimeout: '1s',
    statusTimeout: '1s',
    callTimeout: '1s',
  },
}

const emptyList: HandlerProvider['answer'] = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('[]')
}

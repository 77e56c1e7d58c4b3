import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UndiciForwarder } from '../../../core/http/undici-forwarder.ts'
import { HttpProxyForwarder } from '../../../core/http/http-proxy-forwarder.ts'
import { H1Forwarder } from '../../../core/http1/h1-forwarder.ts'
import { EngineForwarder } from '../../../core/http/engine.ts'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import type { FunctionStatus } from '../../../core/provider/function-status.ts'
import type { ReadinessAnnouncer } from '../../../core/coordination/readiness-announcer.ts'
import type { InstanceReceipt, InstanceRegistry } from '../../../core/instances/instance-directory.ts'
import type { InstanceReport } from '../../../core/instances/instance-record.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import type { LocalProvider } from '../../../plugins/local-provider/local-provider.ts'
import { localProviderOptions } from '../../../plugins/local-provider/options.ts'
import { Authorization } from '../../../plugins/local-provider/server/authorization.ts'
import { startLocalProvider } from '../../../plugins/local-provider/start.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

/** What tests set, besides a state directory of their own. */
export interface HarnessOptions {
  readonly options?: Readonly<Record<string, unknown>>
  /** Kept by the caller; else a new one that goes with the harness. */
  readonly stateDirectory?: string
  /** Told of functions that are ready. Default nobody. */
  readonly announcer?: ReadinessAnnouncer
  /** Program and arguments of a sidecar. Default: the real one. */
  readonly sidecar?: readonly string[]
}

/** What sidecars sign with in these tests. */
export const instanceKey = 'a key of these tests that nobody else has'

/** Takes every report, and keeps them. */
export class RecordingRegistry implements InstanceRegistry {
  readonly reports: InstanceReport[] = []
  ttlMs = 10_000

  async take(report: InstanceReport): Promise<InstanceReceipt> {
    this.reports.push(report)
    return { ttlMs: this.ttlMs, acknowledged: 0, silent: 0 }
  }

  /** The phases that an instance went through, or that of all instances. */
  phases(id?: string): string[] {
    const phases: string[] = []
    for (const { record } of this.reports) {
      if (id !== undefined && record.id !== id) continue
      if (phases.at(-1) !== record.phase) phases.push(record.phase)
    }
    return phases
  }
}

/** A deployment as clients send it. */
export interface DeploymentBody {
  readonly service: string
  readonly [field: string]: unknown
}

/** A call of a function. */
export interface CallInit {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A folder for state that lives as long as its test. */
export function stateDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'pilotlight-local-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A local provider with everything that a gateway would give it, and the calls that clients make. */
export class ProviderHarness implements AsyncDisposable {
  readonly log = new FakeLogger()
  readonly clock = new SystemClock()
  readonly instances = new RecordingRegistry()
  readonly #forwarder: EngineForwarder
  readonly #http: UndiciHttpClient
  readonly #options: HarnessOptions
  readonly #ownDirectory: (Disposable & { readonly path: string }) | undefined
  #provider: LocalProvider | undefined

  constructor(options: HarnessOptions) {
    const limits = { maxConnectionsPerUpstream: 256, maxHeaderBytes: 1024 * 1024, connectTimeoutMs: 2000 }
    this.#forwarder = new EngineForwarder({
      plain: new H1Forwarder({
        clock: this.clock,
        options: limits,
        fallback: new UndiciForwarder({ clock: this.clock, options: limits }),
      }),
      httpProxy: new HttpProxyForwarder({ clock: this.clock, options: limits }),
    })
    this.#http = new UndiciHttpClient({ clock: this.clock, connectTimeoutMs: 2000 })
    this.#options = options
    this.#ownDirectory = options.stateDirectory === undefined ? stateDirectory() : undefined
  }

  static async start(options: HarnessOptions = {}): Promise<ProviderHarness> {
    const harness = new ProviderHarness(options)
    try {
      await harness.begin()
    } catch (error) {
      await harness[Symbol.asyncDispose]()
      throw error
    }
    return harness
  }

  get directory(): string {
    return this.#options.stateDirectory ?? this.#ownDirectory?.path ?? ''
  }

  get provider(): LocalProvider {
    if (this.#provider === undefined) throw new Error('the provider does not run')
    return this.#provider
  }

  /** Starts the provider. @throws what the provider throws */
  async begin(): Promise<void> {
    const options = localProviderOptions.parse({
      samples: false,
      stopGrace: '500ms',
      stateDirectory: this.directory,
      ...this.#options.options,
    })
    const authorization = Authorization.ofThisStart()
    const { announcer, sidecar } = this.#options
    const facts = {
      defaultNamespace: 'openfaas-fn',
      readTimeoutMs: 0,
      authorization,
      instanceKey,
      ...(sidecar === undefined ? {} : { sidecar }),
    }
    const { clock, log, instances } = this
    const deps = { clock, log, instances, random: Math.random, forwarder: this.#forwarder, http: this.#http }
    this.#provider = await startLocalProvider(options, facts, { ...deps, ...(announcer && { announcer }) })
  }

  /** `http://127.0.0.1:port`, without a slash at the end. */
  get url(): string {
    return this.provider.endpoint.url.origin
  }

  /** Calls the management API with its credentials. */
  system(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const { authorization = '' } = this.provider.endpoint
    return fetch(`${this.url}/system/${path}`, {
      method,
      headers: { authorization, connection: 'close', ...headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  /** Deploys with `image: alpine` unless the body names another. @throws Error with the answer's text when it is refused */
  async deploy(body: DeploymentBody): Promise<void> {
    const answer = await this.system('POST', 'functions', { image: 'alpine', ...body })
    if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
  }

  async scale(name: string, replicas: number, headers: Readonly<Record<string, string>> = {}): Promise<number> {
    const answer = await this.system('POST', `scale-function/${name}`, { serviceName: name, replicas }, headers)
    await answer.arrayBuffer()
    return answer.status
  }

  async status(name: string, query = ''): Promise<FunctionStatus> {
    const answer = await this.system('GET', `function/${name}${query}`)
    if (answer.status !== 200) throw new Error(`status ${answer.status}`)
    return (await answer.json()) as FunctionStatus
  }

  /** Resolves when so many replicas are available. */
  async available(name: string, replicas: number, withinMs = 10_000): Promise<FunctionStatus> {
    return eventually(
      `${replicas} available replicas of ${name}`,
      async () => {
        const status = await this.status(name)
        return status.availableReplicas === replicas ? status : undefined
      },
      withinMs,
    )
  }

  /** Calls a function. */
  call(path: string, init: CallInit = {}): Promise<Response> {
    return fetch(`${this.url}/function/${path}`, { ...init, headers: { connection: 'close', ...init.headers } })
  }

  /** Texts of a function's log, but for what sidecars say about themselves. */
  async logs(name: string): Promise<string[]> {
    return (await this.allLogs(name)).filter((text) => !/^\d{4}-\d\d-\d\dT\S+ /.test(text))
  }

  /** All texts of a function's log. */
  async allLogs(name: string): Promise<string[]> {
    const answer = await this.system('GET', `logs?name=${name}`)
    return (await answer.text())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { text: string }).text)
  }

  /** Stops the provider as a gateway does at its end. */
  async end(): Promise<void> {
    await this.#provider?.[Symbol.asyncDispose]()
    this.#provider = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    await this.#forwarder[Symbol.asyncDispose]()
    await this.#http[Symbol.asyncDispose]()
    this.#ownDirectory?.[Symbol.dispose]()
  }
}

import { fileURLToPath } from 'node:url'
import { defaultPluginNames } from '../../../core/config/default-plugins.ts'
import { startGatewayProcess } from '../../support/gateway-process.ts'
import { BenchProcess } from '../bench-process.ts'
import { type Contender, gatewayName } from '../contender.ts'
import { undiciName } from '../line-up.ts'
import { onAnyCpu } from '../pinning.ts'
import { processTree } from '../process-usage.ts'
import { startFlags } from '../start-flags.ts'

/** What takes part with so many workers. */
export type CrewKind = 'gateway' | 'busy gateway' | 'undici'

/** What is to be started. */
export interface CrewOptions {
  readonly kind: CrewKind
  readonly workers: number
  readonly upstreamUrl: string
  /** Bytes that the busy gateway hashes for each call. */
  readonly busyBytes: number
}

const busyPlugin = fileURLToPath(new URL('busy-plugin.ts', import.meta.url))
const names: Readonly<Record<CrewKind, string>> = {
  gateway: gatewayName,
  'busy gateway': `${gatewayName}, busy`,
  undici: undiciName,
}

/** The first process of a crew. */
type FirstProcess = AsyncDisposable & { readonly url: string; readonly pid: number }

/** A contender with several processes on one port, on whatever CPU the kernel puts them. */
export class Crew implements Contender, AsyncDisposable {
  readonly name: string
  readonly kind: CrewKind
  readonly workers: number
  readonly #process: FirstProcess

  private constructor({ kind, workers }: CrewOptions, process: FirstProcess) {
    this.name = nameOf(kind, workers)
    this.kind = kind
    this.workers = workers
    this.#process = process
  }

  /** Resolves when it answers; with undefined when the gateway refuses that number of workers. */
  static async start(options: CrewOptions): Promise<Crew | undefined> {
    try {
      return new Crew(options, await (options.kind === 'undici' ? startUndici(options) : startGateway(options)))
    } catch (error) {
      if (error instanceof Error && error.message.includes('PILOTLIGHT_WORKERS')) return undefined
      throw error
    }
  }

  get url(): string {
    return this.#process.url
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Processes that answer calls. A single worker is the first process itself, which has no supervisor then. */
  get workerPids(): readonly number[] {
    return this.workers === 1 ? [this.pid] : processTree(this.pid).slice(1)
  }

  /** Who is no worker. */
  get supervisorPid(): number | undefined {
    return this.workers === 1 ? undefined : this.pid
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#process[Symbol.asyncDispose]()
  }
}

/** Name of a crew in tables. */
export function nameOf(kind: CrewKind, workers: number): string {
  return `${names[kind]}, ${workers}`
}

function startUndici({ upstreamUrl, workers }: CrewOptions): Promise<FirstProcess> {
  const env = { UPSTREAM_URL: upstreamUrl, WORKERS: String(workers) }
  return BenchProcess.start('contender-undici.ts', onAnyCpu, { env })
}

function startGateway({ kind, upstreamUrl, workers, busyBytes }: CrewOptions): Promise<FirstProcess> {
  const plugins = [
    ...defaultPluginNames({ embeddedProvider: false, scaleFromZero: true }),
    { use: busyPlugin, options: { bytes: busyBytes } },
  ]
  return startGatewayProcess({
    env: { functions_provider_url: upstreamUrl, PILOTLIGHT_WORKERS: String(workers) },
    launcher: onAnyCpu,
    nodeFlags: startFlags,
    // JSON is YAML.
    ...(kind === 'busy gateway' && { config: JSON.stringify({ plugins }) }),
  })
}

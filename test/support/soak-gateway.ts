import { readdirSync } from 'node:fs'
import { startFlags } from '../bench/start-flags.ts'
import { eventually } from './eventually.ts'
import { startGatewayBefore } from './gateway-before.ts'
import type { GatewayProcess } from './gateway-process.ts'
import { Inspector } from './soak-inspector.ts'
import { LogSource } from './soak-log-source.ts'
import type { SoakProvider } from './soak-provider.ts'
import { type Counted, type Sample, sumOf } from './soak-sample.ts'

/** How to start the gateway of a run. */
export interface SoakGatewayOptions {
  readonly provider: SoakProvider
  readonly env?: Readonly<Record<string, string>>
  /** Path of a configuration file, in the place of the run's own. */
  readonly configPath?: string
  /** Longest time to come to rest, in milliseconds; then it is sampled as it is. Default 15,000. */
  readonly restWithinMs?: number
}

interface SoakGatewayParts {
  readonly process: GatewayProcess
  /** One for each process of the gateway. */
  readonly inspectors: readonly Inspector[]
  readonly logSource: LogSource
  readonly provider: SoakProvider
  readonly restWithinMs: number
}

/**
 * Has every process of the gateway open its inspector at a port of its own: with `--inspect`, workers count theirs up from that of
 * their supervisor, and the next one may be taken.
 */
const inspectFlag = '--import=data:text/javascript,import{open}from"node:inspector";open(0,"127.0.0.1")'

/** What takes seconds to be tried again takes fractions; how long the provider may take stays as it is. */
const config = `
pluginOptions:
  provider-client: { feedInterval: 1s }
  scale-from-zero: { rescaleAfter: 1s, failureBackoff: 600ms, failureBackoffMax: 600ms, absentTtl: 400ms }
  notifier: { accessLog: sampled }
`
/** Connections that a process has at rest: the listing comes by once in a while. */
const restingConnections = 2

/** A gateway as `npm start` runs it, with a way to look inside. Linux only. */
export class SoakGateway implements AsyncDisposable {
  readonly process: GatewayProcess
  readonly #parts: SoakGatewayParts

  private constructor(parts: SoakGatewayParts) {
    this.process = parts.process
    this.#parts = parts
  }

  /** Starts one before a provider. */
  static async start(options: SoakGatewayOptions): Promise<SoakGateway> {
    const { provider, env = {}, configPath, restWithinMs = 15_000 } = options
    const logSource = await LogSource.start(provider.signals)
    const process = await startGatewayBefore(provider.scripted, {
      ...(configPath === undefined ? { config } : { args: ['--config', configPath] }),
      env: { logs_provider_url: logSource.url, ...env },
      nodeFlags: [...startFlags, inspectFlag],
    })
    const urls = [...process.output.matchAll(/Debugger listening on (ws:\S+)/g)].map(([, url]) => url ?? '')
    if (urls.length === 0) throw new Error(`no process of the gateway can be looked into:\n${process.output}`)
    const inspectors = await Promise.all(urls.map((url) => Inspector.open(url)))
    return new SoakGateway({ process, inspectors, logSource, provider, restWithinMs })
  }

  /** What it has, once what the last calls left behind has gone. Nobody may call meanwhile. */
  async sampleAtRest(acts: number): Promise<Sample> {
    const { provider, logSource, restWithinMs, inspectors } = this.#parts
    provider.closeIdle()
    logSource.closeIdle()
    // One that does not come to rest is sampled as it is: the oracle says what is wrong.
    await eventually('the gateway to rest', () => this.#isAtRest(), restWithinMs).catch(() => {})
    const unfinished = await this.#unfinished()
    const inside = await Promise.all(inspectors.map(lookInside))
    const total = (of: (one: Inside) => number): number => inside.reduce((sum, one) => sum + of(one), 0)
    return {
      acts,
      processes: inspectors.length,
      heapBytes: total(({ heapBytes }) => heapBytes),
      bufferBytes: total(({ bufferBytes }) => bufferBytes),
      descriptors: total(({ descriptors }) => descriptors),
      resources: sumOf(inside.map(({ resources }) => resources)),
      objects: sumOf(inside.map(({ objects }) => objects)),
      unfinished,
    }
  }

  /** Warnings of Node.js, and errors that were logged. */
  get complaints(): readonly string[] {
    return this.process.logs
      .filter(({ level, message }) => level === 'error' || (typeof message === 'string' && /Warning:/.test(message)))
      .map((line) => JSON.stringify(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { inspectors, logSource } = this.#parts
    for (const inspector of inspectors) await inspector[Symbol.asyncDispose]()
    await this.process[Symbol.asyncDispose]()
    await logSource[Symbol.asyncDispose]()
  }

  async #isAtRest(): Promise<boolean> {
    const { inspectors } = this.#parts
    const resources = sumOf(await Promise.all(inspectors.map(resourcesOf)))
    if ((resources['TCPSocketWrap'] ?? 0) > restingConnections * inspectors.length) return false
    return Object.values(await this.#unfinished()).every((count) => count === 0)
  }

  async #unfinished(): Promise<Counted> {
    const page = await this.process.metrics()
    const started = totalOf(page, 'gateway_function_invocation_started_total')
    const ended = totalOf(page, 'gateway_function_invocation_total')
    return {
      'number of held calls': totalOf(page, 'pilotlight_held_requests'),
      'number of forwarded calls without an end': started - ended,
    }
  }
}

type Inside = Omit<Sample, 'acts' | 'processes' | 'unfinished'>

async function lookInside(inspector: Inspector): Promise<Inside> {
  // What the first collection finalizes, only a second one frees.
  await inspector.collectGarbage()
  await inspector.collectGarbage()
  const objects = await inspector.objectsByClass()
  const memory = (await inspector.evaluate('process.memoryUsage()')) as NodeJS.MemoryUsage // what it evaluates to
  const pid = Number(await inspector.evaluate('process.pid'))
  return {
    heapBytes: memory.heapUsed,
    bufferBytes: memory.arrayBuffers,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    resources: await resourcesOf(inspector),
    objects,
  }
}

async function resourcesOf(inspector: Inspector): Promise<Counted> {
  const names = (await inspector.evaluate('process.getActiveResourcesInfo()')) as readonly string[] // what it evaluates to
  return sumOf(names.map((name) => ({ [name]: 1 })))
}

/** Of all series of a name. */
function totalOf(page: string, name: string): number {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

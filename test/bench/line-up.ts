import { type GatewayProcess, type GatewayProcessOptions, startGatewayProcess } from '../support/gateway-process.ts'
import { BenchProcess, type BenchProcessOptions } from './bench-process.ts'
import { type Contender, gatewayName } from './contender.ts'
import { missingPeer, type PeerName, PeerProcess } from './peers/peer-process.ts'
import { onContenderCpu, onLoadCpu } from './pinning.ts'
import { startFlags } from './start-flags.ts'

/** Contenders that are scripts of this folder. */
const scripts = {
  'http-proxy, bare': 'contender-http-proxy.ts',
  'undici dispatch, bare': 'contender-undici.ts',
  'raw sockets': 'contender-raw.ts',
} as const

/** The bare reference that all parts have. */
export const undiciName = 'undici dispatch, bare' satisfies keyof typeof scripts

/** The upstream without anybody in between. */
const upstreamName = 'the upstream itself'

/** Who can take part. */
export type ContenderName = typeof gatewayName | typeof upstreamName | keyof typeof scripts | PeerName

/** Who takes part, and how. */
export interface LineUpOptions {
  readonly names: readonly ContenderName[]
  /** The script of what all contenders call; default `upstream.ts`. */
  readonly upstream?: string
  readonly upstreamEnv?: Readonly<Record<string, string>>
  /** Besides the upstream's address and the flags of `npm start`. */
  readonly gateway?: Pick<GatewayProcessOptions, 'env' | 'config'>
  /** For each contender that runs on Node: more environment, more flags. */
  readonly nodeOptionsOf?: (name: ContenderName) => BenchProcessOptions
}

/** Contenders in front of one upstream, each on the CPU of the contenders. Disposing ends them all. */
export class LineUp implements AsyncDisposable {
  readonly contenders: readonly Contender[]
  readonly upstream: BenchProcess
  /** Who was left out, and why, a line each. */
  readonly notes: readonly string[]
  readonly #opened: AsyncDisposableStack
  readonly #gateway: GatewayProcess | undefined

  private constructor(started: Starting, opened: AsyncDisposableStack) {
    this.contenders = started.contenders
    this.upstream = started.upstream
    this.notes = started.notes
    this.#gateway = started.gateway
    this.#opened = opened
  }

  /** Starts one after the other, in the order of `names`. @throws Error when one that is installed does not start */
  static async start(options: LineUpOptions): Promise<LineUp> {
    await using opened = new AsyncDisposableStack()
    const { upstream: script = 'upstream.ts', upstreamEnv = {} } = options
    const upstream = opened.use(await BenchProcess.start(script, onLoadCpu, { env: upstreamEnv }))
    const started: Starting = { upstream, contenders: [], notes: [], gateway: undefined }
    for (const name of options.names) await start(name, { options, started, opened })
    return new LineUp(started, opened.move())
  }

  /** @throws Error when it does not take part */
  get gateway(): GatewayProcess {
    if (this.#gateway === undefined) throw new Error(`${gatewayName} does not take part`)
    return this.#gateway
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync()
  }
}

interface Starting {
  readonly upstream: BenchProcess
  readonly contenders: Contender[]
  readonly notes: string[]
  gateway: GatewayProcess | undefined
}

interface Context {
  readonly options: LineUpOptions
  readonly started: Starting
  readonly opened: AsyncDisposableStack
}

async function start(name: ContenderName, context: Context): Promise<void> {
  const { started, opened } = context
  const { upstream, contenders, notes } = started
  if (name === upstreamName) {
    contenders.push({ name, url: upstream.url, pid: upstream.pid })
  } else if (name === gatewayName) {
    started.gateway = opened.use(await startGateway(context))
    contenders.push({ name, url: started.gateway.url, pid: started.gateway.pid })
  } else if (name === 'nginx' || name === 'haproxy') {
    const missing = missingPeer(name)
    if (missing !== undefined) notes.push(missing)
    else contenders.push({ name, ...placeOf(opened.use(await PeerProcess.start(name, upstream.url, onContenderCpu))) })
  } else {
    contenders.push({ name, ...placeOf(opened.use(await startScript(name, context))) })
  }
}

function startGateway({ options, started }: Context): Promise<GatewayProcess> {
  const { env = {}, nodeFlags = [] } = options.nodeOptionsOf?.(gatewayName) ?? {}
  return startGatewayProcess({
    ...options.gateway,
    env: { functions_provider_url: started.upstream.url, ...options.gateway?.env, ...env },
    launcher: onContenderCpu,
    nodeFlags: [...startFlags, ...nodeFlags],
  })
}

function startScript(name: keyof typeof scripts, { options, started }: Context): Promise<BenchProcess> {
  const { env = {}, nodeFlags = [] } = options.nodeOptionsOf?.(name) ?? {}
  return BenchProcess.start(scripts[name], onContenderCpu, {
    env: { UPSTREAM_URL: started.upstream.url, ...env },
    nodeFlags,
  })
}

function placeOf({ url, pid }: { readonly url: string; readonly pid: number }): { url: string; pid: number } {
  return { url, pid }
}

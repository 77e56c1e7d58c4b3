import type { Container } from '../container/container.ts'
import type { Teardown } from '../container/teardown.ts'
import { tokenName } from '../container/token.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { stages, type Middleware } from '../pipeline/stages.ts'
import type { SystemMiddleware, SystemRoute } from '../routing/system-route.ts'
import { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { LoadedPlugin } from './load.ts'
import { orderPlugins } from './order.ts'
import type { Plugin, PluginInstance } from './plugin.ts'

interface Running {
  readonly name: string
  readonly instance: PluginInstance
}

/**
 * Boots plugins and holds what they contribute.
 *
 * Order: `boot` once, then `startTasks`, then `drain`; the teardown disposes the instances in reverse order of setup. A
 * failure during boot leaves closing what was already set up to the teardown.
 */
export class PluginHost {
  readonly #container: Container
  readonly #teardown: Teardown
  readonly #clock: Clock
  readonly #setupTimeoutMs: number
  readonly #tasks = new AbortController()
  #running: readonly Running[] = []
  #configured: readonly Running[] = []
  #booted = false

  constructor(deps: { container: Container; teardown: Teardown; clock: Clock; setupTimeoutMs: number }) {
    this.#container = deps.container
    this.#teardown = deps.teardown
    this.#clock = deps.clock
    this.#setupTimeoutMs = deps.setupTimeoutMs
  }

  /**
   * Decodes the options of every plugin, resolves needs and runs each setup.
   * @throws GatewayError `config_invalid` (options, all faults), `plugin_duplicate`, `need_missing`, `plugin_setup_failed`,
   *   `plugin_setup_timeout`, `plugin_after_start`
   */
  async boot(loaded: readonly LoadedPlugin[]): Promise<void> {
    if (this.#booted) throw new GatewayError('plugin_after_start', 'plugins cannot be added to a gateway that has started')
    this.#booted = true
    const ordered = orderPlugins(loaded, (of) => this.#container.has(of))
    const options = decodeOptions(ordered)
    const running: Running[] = []
    for (const one of ordered) running.push(await this.#setUp(one.plugin, options.get(one)))
    this.#running = running
    this.#configured = loaded.flatMap(({ plugin }) => running.filter(({ name }) => name === plugin.name))
  }

  /** The layers of the function path, outermost first: by stage, then as configured. */
  get layers(): readonly Middleware[] {
    return stages.flatMap((stage) =>
      this.#configured.flatMap(({ instance }) => (instance.invocation?.stage === stage ? [instance.invocation.handle] : [])),
    )
  }

  get routes(): readonly SystemRoute[] {
    return this.#configured.flatMap(({ instance }) => instance.routes ?? [])
  }

  get systemLayers(): readonly SystemMiddleware[] {
    return this.#configured.flatMap(({ instance }) => instance.system ?? [])
  }

  /** Why the plugins do not want traffic; empty when they do. */
  unready(): readonly string[] {
    return this.#running.flatMap(({ name, instance }) => {
      const reason = instance.unready?.()
      return reason === undefined ? [] : [`${name}: ${reason}`]
    })
  }

  /** Starts the background tasks, in order of setup. */
  async startTasks(): Promise<void> {
    this.#teardown.defer('background tasks', () => this.#tasks.abort())
    for (const { name, instance } of this.#running) {
      try {
        await instance.task?.start(this.#tasks.signal)
      } catch (error) {
        throw new GatewayError('plugin_setup_failed', `the background task of plugin "${name}" did not start`, { cause: error })
      }
    }
  }

  /** Lets every plugin finish what it began. One that fails or outlives `deadline` does not keep the others. */
  async drain(deadline: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#running.map(({ instance }) => instance.drain?.(deadline)))
  }

  async #setUp(plugin: Plugin, options: unknown): Promise<Running> {
    const { name } = plugin
    const deps = this.#container.resolveAll(plugin.needs)
    const log = this.#container.resolve(Logger).child({ plugin: name })
    const instance = await this.#withinTime(name, async () => plugin.setup({ options, deps, log }))
    const close = instance[Symbol.asyncDispose]?.bind(instance)
    if (close !== undefined) this.#teardown.defer(`plugin "${name}"`, close)
    this.#takeServices(plugin, instance)
    return { name, instance }
  }

  #takeServices(plugin: Plugin, instance: PluginInstance): void {
    const given = new Map((instance.services ?? []).map(({ token, value }) => [token, value]))
    for (const of of plugin.provides ?? []) {
      if (!given.has(of)) {
        throw new GatewayError('plugin_setup_failed', `plugin "${plugin.name}" promised ${tokenName(of)} but its setup returned none`)
      }
      this.#container.addValue(of, given.get(of))
    }
  }

  async #withinTime(name: string, setup: () => Promise<PluginInstance>): Promise<PluginInstance> {
    const limitMs = this.#setupTimeoutMs
    let timer: Disposable | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#clock.after(limitMs, () =>
        reject(new GatewayError('plugin_setup_timeout', `setup of plugin "${name}" did not finish within ${limitMs} ms`)),
      )
    })
    const setUp = setup()
    try {
      return await Promise.race([setUp, late])
    } catch (error) {
      // A setup that finishes after all must not leave anything open.
      void setUp.then((instance) => instance[Symbol.asyncDispose]?.()).catch(() => {})
      if (error instanceof GatewayError) throw error
      const text = error instanceof Error ? error.message : String(error)
      throw new GatewayError('plugin_setup_failed', `setup of plugin "${name}" failed: ${text}`, { cause: error })
    } finally {
      timer?.[Symbol.dispose]()
    }
  }
}

function decodeOptions(loaded: readonly LoadedPlugin[]): ReadonlyMap<LoadedPlugin, unknown> {
  const decoded = new Map<LoadedPlugin, unknown>()
  const faults: string[] = []
  for (const one of loaded) {
    try {
      decoded.set(one, one.plugin.options.parse(one.options ?? {}))
    } catch (error) {
      faults.push(...explain(error).map((fault) => `${one.path} (${one.plugin.name}): ${fault}`))
    }
  }
  if (faults.length > 0) throw new GatewayError('config_invalid', faults.join('\n'))
  return decoded
}

/** Reads the issues of a zod error; other schemas throw errors with a message. */
function explain(error: unknown): readonly string[] {
  if (typeof error === 'object' && error !== null && 'issues' in error && Array.isArray(error.issues)) {
    return error.issues.map((issue: { path?: readonly PropertyKey[]; message?: string }) =>
      [`options${(issue.path ?? []).map((part) => `.${String(part)}`).join('')}`, issue.message ?? 'invalid'].join(': '),
    )
  }
  return [error instanceof Error ? error.message : String(error)]
}

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
    if (this.#booted)
      throw new GatewayError('plugin_after_start', 'plugins cannot be added to a gateway that has started')
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
      this.#configured.flatMap(({ instance }) =>
        instance.invocation?.stage === stage ? [instance.invocation.handle] : [],
      ),
    )
  }

  get routes(): readonly SystemRoute[] {
    return this.#configured.flatMap(({ instance }) => instance.routes ?? [])
  }

  get systemLayers(): readonly SystemMiddleware[] {
    return this.#configured.flatMap(({ instance }) => instance.system ?? [])
  }

  /** Why the plugins do not want traffic; empty when they do. A check that throws counts as a reason. */
  unready(): readonly string[] {
    return this.#running.flatMap(({ name, instance }) => {
      const reason = askUnready(instance)
      return reason === undefined ? [] : [`${name}: ${reason}`]
    })
  }

  /**
   * Starts the background tasks, in order of setup.
   * @throws GatewayError `plugin_setup_failed`, `plugin_setup_timeout`
   */
  async startTasks(): Promise<void> {
    this.#teardown.defer('background tasks', () => this.#tasks.abort())
    for (const { name, instance } of this.#running) {
      const started = (async () => instance.task?.start(this.#tasks.signal))()
      await this.#withinTime(`the background task of plugin "${name}"`, started)
    }
  }

  /**
   * Lets every plugin finish what it began. One that fails or outlives `deadline` is logged and does not keep the others.
   * Never rejects.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    const isOver = new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => reject(new Error('it was not done when the grace period ended'))
      if (deadline.aborted) onAbort()
      else deadline.addEventListener('abort', onAbort, { once: true })
    })
    isOver.catch(() => {}) // nobody listens where there is no plugin
    const drained = this.#running.map(async ({ name, instance }) => {
      try {
        await Promise.race([instance.drain?.(deadline), isOver])
      } catch (error) {
        this.#container.resolve(Logger).warn(`draining plugin "${name}" failed`, { err: error })
      }
    })
    await Promise.all(drained)
  }

  async #setUp(plugin: Plugin, options: unknown): Promise<Running> {
    const { name } = plugin
    const deps = this.#container.resolveAll(plugin.needs)
    const log = this.#container.resolve(Logger).child({ plugin: name })
    const setUp = (async () => plugin.setup({ options, deps, log }))()
    const instance = await this.#withinTime(`setup of plugin "${name}"`, setUp).catch((error: unknown) => {
      // A setup that finishes after all must not leave anything open.
      void setUp.then((late) => late[Symbol.asyncDispose]?.()).catch(() => {})
      throw error
    })
    refuseNothing(name, instance)
    const close = instance[Symbol.asyncDispose]?.bind(instance)
    if (close !== undefined) this.#teardown.defer(`plugin "${name}"`, close)
    this.#takeServices(plugin, instance)
    return { name, instance }
  }

  #takeServices(plugin: Plugin, instance: PluginInstance): void {
    const given = new Map((instance.services ?? []).map(({ token, value }) => [token, value]))
    for (const of of plugin.provides ?? []) {
      if (!given.has(of)) {
        throw new GatewayError(
          'plugin_setup_failed',
          `plugin "${plugin.name}" promised ${tokenName(of)} but its setup returned none`,
        )
      }
      this.#container.addValue(of, given.get(of))
    }
  }

  /** Waits for one step of boot, no longer than a plugin may take; a failure names the step. */
  async #withinTime<T>(what: string, step: Promise<T>): Promise<T> {
    const limitMs = this.#setupTimeoutMs
    const late = Promise.withResolvers<typeof tooLate>()
    const timer = this.#clock.after(limitMs, () => late.resolve(tooLate))
    const result = await Promise.race([step, late.promise])
      .catch((error: unknown) => {
        const code = error instanceof GatewayError ? error.code : 'plugin_setup_failed'
        throw new GatewayError(code, `${what} failed: ${textOf(error)}`, { cause: error })
      })
      .finally(() => timer[Symbol.dispose]())
    if (result !== tooLate) return result
    throw new GatewayError('plugin_setup_timeout', `${what} did not finish within ${limitMs} ms`)
  }
}

const tooLate = Symbol('too late')

/** The types forbid it, but a plugin may be written in plain JavaScript. */
function refuseNothing(name: string, instance: unknown): void {
  if (typeof instance === 'object' && instance !== null) return
  throw new GatewayError(
    'plugin_setup_failed',
    `setup of plugin "${name}" returned no instance; return {} when there is nothing to add`,
  )
}

function askUnready(instance: PluginInstance): string | undefined {
  try {
    return instance.unready?.()
  } catch (error) {
    return `its readiness check failed: ${textOf(error)}`
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
      [`options${(issue.path ?? []).map((part) => `.${String(part)}`).join('')}`, issue.message ?? 'invalid'].join(
        ': ',
      ),
    )
  }
  return [textOf(error)]
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

import type { Needs, Resolved, Token } from '../container/token.ts'
import type { Middleware, Stage } from '../pipeline/stages.ts'
import type { SystemMiddleware, SystemRoute } from '../routing/system-route.ts'
import type { Logger } from '../telemetry/logger.ts'

/** Decodes the options of a plugin; zod schemas fit. Must throw for unknown keys. */
export interface OptionsSchema<Options> {
  parse(input: unknown): Options
}

/** What a plugin gets at setup: its decoded options and what it asked for, nothing else. */
export interface PluginContext<Options, N extends Needs> {
  readonly options: Options
  readonly deps: Resolved<N>
  /** Logs with the plugin's name. */
  readonly log: Logger
}

/** A plugin, as a value. `setup` is a method so that a list may hold plugins of different options. */
export interface Plugin<Options = unknown, N extends Needs = Needs> {
  /** Unique; the folder's name, the key in the configuration and the label in logs. */
  readonly name: string
  readonly needs: N
  /** Tokens of the services that `setup` will return. Plugins that need them are set up later. */
  readonly provides?: readonly Token<unknown>[]
  readonly options: OptionsSchema<Options>
  setup(context: PluginContext<Options, N>): PluginInstance | Promise<PluginInstance>
}

/** A service that a plugin provides to others. */
export interface Service {
  readonly token: Token<unknown>
  readonly value: unknown
}

/** Pairs a token with a value of its type. */
export function service<T>(of: Token<T>, value: T): Service {
  return { token: of, value }
}

/** Work that goes on beside requests. Started when every plugin is set up, stopped first. */
export interface BackgroundTask {
  /**
   * Starts the work and resolves when it goes on by itself; boot waits for it.
   * @param signal aborts at shutdown
   */
  start(signal: AbortSignal): void | Promise<void>
}

/** What a plugin contributes. Every member is optional. */
export interface PluginInstance extends Partial<AsyncDisposable> {
  /** A layer of the function path. */
  readonly invocation?: { readonly stage: Stage; readonly handle: Middleware }
  /** Layers around system routes. */
  readonly system?: readonly SystemMiddleware[]
  /** System routes it serves. */
  readonly routes?: readonly SystemRoute[]
  /** Services it provides; exactly those named in `provides`. */
  readonly services?: readonly Service[]
  readonly task?: BackgroundTask
  /** Why the gateway should not take traffic because of this plugin, or undefined; asked by `/readyz`. */
  unready?(): string | undefined
  /** Finishes what it began, until `deadline` aborts. Called while the gateway still serves what it has. */
  drain?(deadline: AbortSignal): Promise<void>
}

/** Declares a plugin; infers the types of options and needs. */
export function definePlugin<Options, N extends Needs>(plugin: Plugin<Options, N>): Plugin<Options, N> {
  return plugin
}

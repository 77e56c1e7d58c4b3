import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import type { PluginEntry } from '../config/gateway-config.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { importForeign } from './foreign-plugin.ts'
import type { Plugin } from './plugin.ts'

/** A plugin and the options its entry in the configuration gives. */
export interface LoadedPlugin {
  readonly plugin: Plugin
  readonly options: unknown
  /** Where in the configuration it stands, for error messages. */
  readonly path: string
}

const builtIn = /^[a-z][a-z0-9-]*$/

/** `index.ts` among the sources, `index.js` among what they are compiled to. */
const entryFile = `index${extname(import.meta.url)}`

/**
 * Imports the plugins that a configuration names: built-in ones by name, others by path (relative to `baseDirectory`) or
 * package name. A module must export its plugin as `default` or `plugin`.
 *
 * @throws GatewayError `config_invalid` naming every entry that could not be loaded
 */
export async function loadPlugins(
  entries: readonly PluginEntry[],
  baseDirectory: string,
): Promise<readonly LoadedPlugin[]> {
  const results = await Promise.allSettled(
    entries.map((entry, index) => load(entry, `plugins[${index}]`, baseDirectory)),
  )
  const faults = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []))
  if (faults.length > 0) throw new GatewayError('config_invalid', faults.join('\n'))
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

async function load(entry: PluginEntry, path: string, baseDirectory: string): Promise<LoadedPlugin> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = await importEntry(entry.use, baseDirectory)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(`${path}: plugin "${entry.use}" cannot be loaded: ${text}`, { cause: error })
  }
  const plugin = module['default'] ?? module['plugin']
  if (!isPlugin(plugin)) {
    throw new Error(`${path}: "${entry.use}" exports no plugin; export it as default, made with definePlugin`)
  }
  return { plugin, options: entry.options, path }
}

async function importEntry(use: string, baseDirectory: string): Promise<Readonly<Record<string, unknown>>> {
  const ofProject = new URL(`../../plugins/${use}/${entryFile}`, import.meta.url)
  return builtIn.test(use) && existsSync(ofProject) ? import(ofProject.href) : importForeign(use, baseDirectory)
}

function isPlugin(value: unknown): value is Plugin {
  if (typeof value !== 'object' || value === null) return false
  if (!('name' in value && 'needs' in value && 'setup' in value && 'options' in value)) return false
  return typeof value.name === 'string' && typeof value.setup === 'function' && isSchema(value.options)
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'parse' in value && typeof value.parse === 'function'
}

import type { ConfigFault } from './config-fault.ts'
import { defaultPluginNames, defaultPlugins } from './default-plugins.ts'
import type { PluginEntry } from './gateway-config.ts'
import type { Settings } from './schema.ts'

/** What the list of plugins depends on. */
export type PluginSettings = Pick<Settings, 'plugins' | 'pluginOptions'> & {
  readonly embeddedProvider: boolean
  readonly scaleFromZero: boolean
}

/**
 * Returns the plugins to load: the list of the configuration if it has one, else those of default-plugins.ts, each with
 * its options (`{}` when nobody gives any).
 */
export function resolvePlugins(settings: PluginSettings): { plugins: readonly PluginEntry[]; faults: ConfigFault[] } {
  const listed = settings.plugins ?? defaultPluginNames(settings).map((use) => ({ use, options: undefined }))
  const optionsByName = new Map(Object.entries(settings.pluginOptions ?? {}))
  const plugins = listed.map(({ use, options }) => ({ use, options: options ?? optionsByName.get(use) ?? {} }))
  return { plugins, faults: [...unknownNames(settings, optionsByName), ...givenTwice(settings, optionsByName)] }
}

/** Options of a default plugin that is left out (because waking is off, say) stay allowed: files are shared. */
function unknownNames(settings: PluginSettings, options: ReadonlyMap<string, unknown>): ConfigFault[] {
  const names: readonly string[] = settings.plugins?.map((entry) => entry.use) ?? defaultPlugins
  return [...options.keys()]
    .filter((name) => !names.includes(name))
    .map((name) => ({ where: `pluginOptions.${name}`, text: `no such plugin; the list has ${names.join(', ')}` }))
}

function givenTwice(settings: PluginSettings, options: ReadonlyMap<string, unknown>): ConfigFault[] {
  return (settings.plugins ?? [])
    .filter((entry) => entry.options !== undefined && options.has(entry.use))
    .map((entry) => ({ where: `pluginOptions.${entry.use}`, text: 'the list of plugins gives options too; keep one' }))
}

import { tokenName, type Token } from '../container/token.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { LoadedPlugin } from './load.ts'

/**
 * Orders plugins so that each comes after those that provide what it needs, otherwise as configured.
 *
 * @param isProvided whether core itself provides a token
 * @throws GatewayError `plugin_duplicate` for two of one name, or two that provide one token; `need_missing` listing all missing needs at once, or naming a cycle
 */
export function orderPlugins(
  loaded: readonly LoadedPlugin[],
  isProvided: (of: Token<unknown>) => boolean,
): readonly LoadedPlugin[] {
  refuseDuplicates(loaded)
  const providers = providersByToken(loaded)
  refuseMissing(loaded, (of) => isProvided(of) || providers.has(of))
  const ordered: LoadedPlugin[] = []
  const visit = (one: LoadedPlugin, trail: readonly LoadedPlugin[]): void => {
    if (ordered.includes(one)) return
    if (trail.includes(one)) {
      const names = [...trail.slice(trail.indexOf(one)), one].map(({ plugin }) => plugin.name)
      throw new GatewayError('need_missing', `plugins need each other in a circle: ${names.join(' -> ')}`)
    }
    for (const of of Object.values(one.plugin.needs)) {
      const provider = providers.get(of)
      if (provider !== undefined) visit(provider, [...trail, one])
    }
    ordered.push(one)
  }
  for (const one of loaded) visit(one, [])
  return ordered
}

function refuseDuplicates(loaded: readonly LoadedPlugin[]): void {
  const seen = new Map<string, string>()
  for (const { plugin, path } of loaded) {
    const first = seen.get(plugin.name)
    if (first !== undefined) {
      throw new GatewayError('plugin_duplicate', `${path}: a plugin named "${plugin.name}" already stands at ${first}`)
    }
    seen.set(plugin.name, path)
  }
}

function providersByToken(loaded: readonly LoadedPlugin[]): ReadonlyMap<Token<unknown>, LoadedPlugin> {
  const providers = new Map<Token<unknown>, LoadedPlugin>()
  for (const one of loaded) {
    for (const of of one.plugin.provides ?? []) {
      const first = providers.get(of)?.plugin.name
      if (first !== undefined) {
        throw new GatewayError(
          'plugin_duplicate',
          `plugins "${first}" and "${one.plugin.name}" both provide ${tokenName(of)}; keep one`,
        )
      }
      providers.set(of, one)
    }
  }
  return providers
}

function refuseMissing(loaded: readonly LoadedPlugin[], isProvided: (of: Token<unknown>) => boolean): void {
  const missing = loaded.flatMap(({ plugin }) =>
    Object.values(plugin.needs)
      .filter((of) => !isProvided(of))
      .map((of) => `plugin "${plugin.name}" needs ${tokenName(of)}, which no loaded plugin provides`),
  )
  if (missing.length > 0) throw new GatewayError('need_missing', missing.join('\n'))
}

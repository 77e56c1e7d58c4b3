/**
 * The plugins that run when the configuration lists none, in order. `local-provider` is left out when a provider URL is
 * set, `scale-from-zero` when waking is switched off.
 */
export const defaultPlugins = [
  'local-provider',
  'provider-client',
  'auth',
  'notifier',
  'scale-from-zero',
  'instances',
  'add-metrics',
  'alert-scaler',
  'readiness-push',
  'system-api',
  'ui',
] as const

/** Returns the names of {@link defaultPlugins} that apply. */
export function defaultPluginNames(chosen: { embeddedProvider: boolean; scaleFromZero: boolean }): readonly string[] {
  return defaultPlugins.filter((name) => {
    if (name === 'local-provider') return chosen.embeddedProvider
    return name !== 'scale-from-zero' || chosen.scaleFromZero
  })
}

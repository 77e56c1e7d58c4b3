import { type GatewayProcess, type GatewayProcessOptions, startGatewayProcess } from './gateway-process.ts'
import type { ScriptedProvider } from './scripted-provider.ts'

/**
 * Options of the plugins that make a story short: what takes seconds in production takes a fraction of one. As YAML, to
 * be followed by more of the story's own.
 */
export const quickOptions = `
pluginOptions:
  provider-client: { statusTimeout: 300ms, scaleTimeout: 300ms, listTimeout: 300ms, feedInterval: 200ms }
  scale-from-zero: { providerPatience: 500ms, rescaleAfter: 300ms, failureBackoff: 600ms, failureBackoffMax: 600ms, absentTtl: 400ms }
`

/** Starts a gateway in front of a scripted provider, with {@link quickOptions} unless the story has a `config` of its own. */
export function startGatewayBefore(
  provider: ScriptedProvider,
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  return startGatewayProcess({
    config: quickOptions,
    ...options,
    env: { functions_provider_url: provider.url, ...options.env },
  })
}

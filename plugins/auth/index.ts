import { Clock, definePlugin, GatewayConfig } from '#core'
import { basicAuth } from './basic-auth.ts'
import { CredentialFiles } from './credential-files.ts'
import { authOptions } from './options.ts'

/** Guards `/system` and `/ui` by basic auth when the configuration says so. */
export const plugin = definePlugin({
  name: 'auth',
  needs: { config: GatewayConfig, clock: Clock },
  options: authOptions,
  async setup({ options, deps: { config, clock }, log }) {
    if (!config.basicAuth) return {}
    const files = await CredentialFiles.open(config.secretMountPath, {
      clock,
      log,
      reloadIntervalMs: options.reloadInterval,
    })
    return { system: basicAuth(files) }
  },
})

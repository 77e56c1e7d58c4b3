import {
  Clock,
  definePlugin,
  Forwarder,
  GatewayConfig,
  HttpClient,
  InstanceRegistry,
  ProviderEndpoint,
  Random,
  service,
} from '#core'
import { localProviderOptions } from './options.ts'
import { Authorization } from './server/authorization.ts'
import { startLocalProvider } from './start.ts'

/** Where functions live that are named without a namespace, when the configuration names none. */
const fallbackNamespace = 'openfaas-fn'

/** Runs functions as processes of this machine, behind the API of an OpenFaaS provider. */
export const plugin = definePlugin({
  name: 'local-provider',
  needs: {
    clock: Clock,
    random: Random,
    forwarder: Forwarder,
    http: HttpClient,
    instances: InstanceRegistry,
    config: GatewayConfig,
  },
  provides: [ProviderEndpoint],
  options: localProviderOptions,
  async setup({ options, deps, log }) {
    const { config } = deps
    const facts = {
      defaultNamespace: config.functionNamespace || fallbackNamespace,
      readTimeoutMs: config.readTimeoutMs,
      authorization: Authorization.ofThisStart(),
      instanceKey: config.instanceKey,
    }
    const provider = await startLocalProvider(options, facts, { ...deps, log })
    return {
      services: [service(ProviderEndpoint, provider.endpoint)],
      unready: () => provider.unready(),
      drain: () => provider.drain(),
      [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
    }
  },
})

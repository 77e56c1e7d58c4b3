import {
  Clock,
  definePlugin,
  GatewayConfig,
  HttpClient,
  ProviderApi,
  ProviderEndpoint,
  Random,
  ReplicaDirectory,
  service,
  ServiceQuery,
} from '#core'
import { DirectoryFeed } from './directory-feed.ts'
import { HttpProviderApi } from './http-provider-api.ts'
import { HttpServiceQuery } from './http-service-query.ts'
import { providerClientOptions } from './options.ts'
import { ProviderCaller } from './provider-caller.ts'
import { ProviderReader } from './provider-reader.ts'

/** Speaks to the provider: status and scale of functions, its management API, and the feed of the replica directory. */
export const plugin = definePlugin({
  name: 'provider-client',
  needs: {
    endpoint: ProviderEndpoint,
    http: HttpClient,
    clock: Clock,
    random: Random,
    replicas: ReplicaDirectory,
    config: GatewayConfig,
  },
  provides: [ServiceQuery, ProviderApi],
  options: providerClientOptions,
  setup({ options, deps, log }) {
    const { clock, random, replicas, config } = deps
    const caller = new ProviderCaller({ ...deps, timeoutMs: options.callTimeout ?? config.upstreamTimeoutMs })
    const reader = new ProviderReader({ caller, clock, random, maxAttempts: options.maxAttempts })
    const api = new HttpProviderApi({ caller, reader, listTimeoutMs: options.listTimeout })
    const feed = new DirectoryFeed(
      { api, replicas, clock, log },
      {
        intervalMs: options.feedInterval,
        firstWaitMs: options.firstFeedWait,
        defaultNamespace: config.functionNamespace,
      },
    )
    return {
      services: [
        service(
          ServiceQuery,
          new HttpServiceQuery({
            caller,
            reader,
            timeouts: { statusMs: options.statusTimeout, scaleMs: options.scaleTimeout },
          }),
        ),
        service(ProviderApi, api),
      ],
      task: feed,
      [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
    }
  },
})

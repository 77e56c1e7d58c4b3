import {
  Clock,
  definePlugin,
  Election,
  GatewayConfig,
  HttpClient,
  Meter,
  ProviderApi,
  ProviderEndpoint,
  Random,
  ReplicaDirectory,
  service,
  ServiceQuery,
  SharedDirectory,
} from '#core'
import { DirectoryFeed } from './directory-feed.ts'
import { FeedRole, feedRoleTimes } from './feed-role.ts'
import { HttpProviderApi } from './http-provider-api.ts'
import { HttpServiceQuery } from './http-service-query.ts'
import { providerClientOptions } from './options.ts'
import { ProviderCaller } from './provider-caller.ts'
import { ProviderReader } from './provider-reader.ts'

/** Speaks to the provider: status and scale of functions, its management API, and the feed of the replica directories. */
export const plugin = definePlugin({
  name: 'provider-client',
  needs: {
    endpoint: ProviderEndpoint,
    http: HttpClient,
    clock: Clock,
    random: Random,
    replicas: ReplicaDirectory,
    shared: SharedDirectory,
    election: Election,
    meter: Meter,
    config: GatewayConfig,
  },
  provides: [ServiceQuery, ProviderApi],
  options: providerClientOptions,
  setup({ options, deps, log }) {
    const { clock, random, config } = deps
    const caller = new ProviderCaller({ ...deps, timeoutMs: options.callTimeout ?? config.upstreamTimeoutMs })
    const reader = new ProviderReader({ caller, clock, random, maxAttempts: options.maxAttempts })
    const api = new HttpProviderApi({ caller, reader, listTimeoutMs: options.listTimeout })
    const { feedInterval: intervalMs, listTimeout: listTimeoutMs } = options
    const role = new FeedRole({ ...deps, log }, feedRoleTimes({ intervalMs, listTimeoutMs }))
    const feed = new DirectoryFeed(
      { ...deps, api, role, log },
      { intervalMs, firstWaitMs: options.firstFeedWait, defaultNamespace: config.functionNamespace },
    )
    deps.meter
      .createObservableGauge('pilotlight_feed_leader', {
        description: 'Whether this gateway is the one that lists the functions of the provider for all gateways.',
      })
      .addCallback((result) => result.observe(role.isHeld ? 1 : 0))
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

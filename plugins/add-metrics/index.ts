import { Clock, definePlugin, GatewayConfig, HttpClient, InvocationCounts, programVersion, Random } from '#core'
import { CountedListing } from './counted-listing.ts'
import { addMetricsOptions } from './options.ts'
import { PrometheusCounts } from './prometheus-counts.ts'

/** Adds invocation counts to the list of functions. */
export const plugin = definePlugin({
  name: 'add-metrics',
  needs: { clock: Clock, config: GatewayConfig, counts: InvocationCounts, http: HttpClient, random: Random },
  options: addMetricsOptions,
  setup({ options, deps, log }) {
    const { prometheusUrl: url, functionNamespace } = deps.config
    const { prometheusTimeoutMs: timeoutMs, prometheusPauseMs: pauseMs } = options
    const userAgent = `pilotlight-gateway/${programVersion()} (Prometheus query)`
    const prometheus =
      url === undefined
        ? undefined
        : new PrometheusCounts({ ...deps, log, options: { url, timeoutMs, pauseMs, userAgent } })
    return { system: [new CountedListing({ counts: deps.counts, prometheus, functionNamespace })] }
  },
})

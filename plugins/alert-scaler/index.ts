import { definePlugin, GatewayConfig, ServiceQuery } from '#core'
import { alertRoute } from './alert-route.ts'
import { AlertScaler } from './alert-scaler.ts'
import { alertScalerOptions } from './options.ts'

/** Scales functions by the alerts of Alertmanager. */
export const plugin = definePlugin({
  name: 'alert-scaler',
  needs: { query: ServiceQuery, config: GatewayConfig },
  options: alertScalerOptions,
  setup({ options, deps: { query, config }, log }) {
    const scaler = new AlertScaler({ query, log, maxParallel: options.maxParallel })
    const { maxBodyBytes } = options
    return { routes: [alertRoute({ scaler, defaultNamespace: config.functionNamespace, maxBodyBytes })] }
  },
})

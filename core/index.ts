/** The door to core: what plugins and the sidecar may import, as `#core`. */
export { token, type Needs, type Resolved, type Token } from './container/token.ts'
export { GatewayConfig, type PluginEntry } from './config/gateway-config.ts'
export { parseDuration, formatDuration } from './config/duration.ts'
export { duration as durationOption } from './config/schema.ts'
export { programVersion } from './config/version.ts'
export { Coordinator, type Acquired, type Lease } from './coordination/coordinator.ts'
export { errorCodes, type ErrorCode } from './errors/codes.ts'
export { GatewayError, type GatewayErrorOptions } from './errors/gateway-error.ts'
export { endToEndHeaders } from './http/end-to-end-headers.ts'
export { Forwarder, type ForwardCall } from './http/forwarder.ts'
export { neverReached } from './http/upstream-errors.ts'
export type { GatewayRequest, UpgradeRequest } from './http/gateway-request.ts'
export { headerValue, removeHeader, setHeader, type HeaderList } from './http/header-list.ts'
export { HttpClient, type HttpClientRequest, type HttpClientResponse } from './http/http-client.ts'
export { HttpListener, type HttpListenerOptions, type RequestHandler } from './http/http-listener.ts'
export { contextKey, type ContextKey } from './pipeline/context-key.ts'
export { BufferReply, jsonReply, textReply } from './pipeline/buffer-reply.ts'
export { Exchange, type ExchangeFacts, type ExchangeTimes } from './pipeline/exchange.ts'
export { Reply, type ReplyEnd, type ReplyEndListener } from './pipeline/reply.ts'
export { stages, type Handler, type Middleware, type Stage } from './pipeline/stages.ts'
export { StreamReply } from './pipeline/stream-reply.ts'
export type { Upstream } from './pipeline/upstream.ts'
export {
  definePlugin,
  service,
  type BackgroundTask,
  type OptionsSchema,
  type Plugin,
  type PluginContext,
  type PluginInstance,
  type Service,
} from './plugin/plugin.ts'
export { functionIdentity, type FunctionIdentity } from './provider/function-identity.ts'
export type { FunctionStatus } from './provider/function-status.ts'
export { ProviderApi, type ProviderCall } from './provider/provider-api.ts'
export { ProviderEndpoint } from './provider/provider-endpoint.ts'
export { ServiceQuery, type ScaleOptions } from './provider/service-query.ts'
export type { FunctionPhase, FunctionState } from './replicas/function-state.ts'
export { ReplicaDirectory, type StateListener } from './replicas/replica-directory.ts'
export { scaleLabels, scaleLimits, type ScaleLimits } from './replicas/scale-labels.ts'
export { stateFromStatus, type StatusFacts } from './replicas/state-from-status.ts'
export type { FunctionRoute } from './routing/function-route.ts'
export { SystemRouter } from './routing/system-router.ts'
export type { SystemHandler, SystemMiddleware, SystemRequest, SystemRoute } from './routing/system-route.ts'
export { InvocationEvents, type InvocationOutcome, type InvocationSink } from './telemetry/invocation-events.ts'
export { InvocationSeries } from './telemetry/invocation-series.ts'
export { Logger, type LogFields } from './telemetry/logger.ts'
export { Meter } from './telemetry/meter.ts'
export { backoffDelayMs, type Backoff } from './time/backoff.ts'
export { Clock } from './time/clock.ts'
export { Random } from './time/random.ts'

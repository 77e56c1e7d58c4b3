/** The door to core: what plugins and the sidecar may import, as `#core`. */
export { token, type Needs, type Resolved, type Token } from './container/token.ts'
export { GatewayConfig, type PluginEntry } from './config/gateway-config.ts'
export { parseDuration, formatDuration } from './config/duration.ts'
export { duration as durationOption } from './config/schema.ts'
export { programVersion } from './config/version.ts'
export { Coordinator, type Acquired, type Lease } from './coordination/coordinator.ts'
export { Election } from './coordination/election.ts'
export { ReadinessAnnouncer } from './coordination/readiness-announcer.ts'
export { SharedDirectory } from './coordination/shared-directory.ts'
export { errorCodes, type ErrorCode } from './errors/codes.ts'
export { GatewayError, type GatewayErrorOptions } from './errors/gateway-error.ts'
export { endToEndHeaders } from './http/end-to-end-headers.ts'
export { Forwarder, type ForwardCall } from './http/forwarder.ts'
export { removeOwnHeaders } from './http/own-headers.ts'
export { neverReached, upstreamFailed } from './http/upstream-errors.ts'
export { HeldBudget, type HeldLimits } from './holding/held-budget.ts'
export { holdTimeoutAnnotation, holdTimeoutMs } from './holding/hold-timeout.ts'
export { Waiter, type WaiterTerms } from './holding/waiter.ts'
export type { GatewayRequest, UpgradeRequest } from './http/gateway-request.ts'
export { headerValue, removeHeader, setHeader, type HeaderList } from './http/header-list.ts'
export { HttpClient, type HttpClientRequest, type HttpClientResponse } from './http/http-client.ts'
export { HttpListener, type HttpListenerOptions, type RequestHandler } from './http/http-listener.ts'
export { AddressRules, defaultInstanceNetworks } from './instances/address-rules.ts'
export { checkInstance, type InstanceRules } from './instances/instance-rules.ts'
export { functionLoad, type FunctionLoad } from './instances/function-load.ts'
export {
  InstanceDirectory,
  InstanceRegistry,
  type InstanceListener,
  type InstanceReceipt,
  type KnownInstance,
} from './instances/instance-directory.ts'
export type { InstanceLoad, InstancePhase, InstanceRecord, InstanceReport } from './instances/instance-record.ts'
export {
  gatewayHeader,
  instanceHeader,
  refusalHeader,
  reportsPath,
  slotHeader,
  slotsPath,
  type Refusal,
} from './instances/instance-wire.ts'
export { instanceSecret, slotsToken } from './instances/instance-secret.ts'
export { isOutdated, outdated, readReport, signReport } from './instances/signed-report.ts'
export { contextKey, type ContextKey } from './pipeline/context-key.ts'
export { BufferReply, jsonReply, textReply } from './pipeline/buffer-reply.ts'
export { Exchange, type ExchangeFacts, type ExchangeTimes } from './pipeline/exchange.ts'
export { mayRepeat, wasCut } from './pipeline/may-repeat.ts'
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
export { parseCommand } from './processes/command.ts'
export { describeEnd, FunctionProcess, type ProcessEnd, type ProcessPipes } from './processes/function-process.ts'
export { keepRunning } from './processes/keep-running.ts'
export { killGroup } from './processes/kill-group.ts'
export { readLines } from './processes/line-reader.ts'
export { PortAllocator, replicaHost } from './processes/port-allocator.ts'
export { ProcessLauncher, type LaunchRequest } from './processes/process-launcher.ts'
export { ProcessRecords } from './processes/process-records.ts'
export { readAllProcessStats, readProcessStat, type ProcessStat } from './processes/process-stat.ts'
export { functionIdentity, identityAsCalled, type FunctionIdentity } from './provider/function-identity.ts'
export type { FunctionStatus } from './provider/function-status.ts'
export { ProviderApi, type ProviderCall } from './provider/provider-api.ts'
export { ProviderEndpoint } from './provider/provider-endpoint.ts'
export { ServiceQuery, type ScaleOptions } from './provider/service-query.ts'
export { Existence, type ExistenceDeps } from './replicas/existence.ts'
export { nothingKnown, readyState, type FunctionPhase, type FunctionState } from './replicas/function-state.ts'
export { ReplicaDirectory, type StateListener } from './replicas/replica-directory.ts'
export { saysTheSame } from './replicas/says-the-same.ts'
export { scaleLabels, scaleLimits, type ScaleLimits } from './replicas/scale-labels.ts'
export { stateFromStatus, type StatusFacts } from './replicas/state-from-status.ts'
export type { FunctionRoute } from './routing/function-route.ts'
export { SystemRouter } from './routing/system-router.ts'
export type { SystemHandler, SystemMiddleware, SystemRequest, SystemRoute } from './routing/system-route.ts'
export { InvocationEvents, type InvocationOutcome, type InvocationSink } from './telemetry/invocation-events.ts'
export { InvocationCounts } from './telemetry/invocation-counts.ts'
export { InvocationSeries } from './telemetry/invocation-series.ts'
export { Logger, type LogFields } from './telemetry/logger.ts'
export { Meter } from './telemetry/meter.ts'
export { backoffDelayMs, type Backoff } from './time/backoff.ts'
export { Clock } from './time/clock.ts'
export { Random } from './time/random.ts'

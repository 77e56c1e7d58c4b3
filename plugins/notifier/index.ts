import {
  Clock,
  definePlugin,
  GatewayConfig,
  InvocationEvents,
  InvocationSeries,
  Meter,
  ReplicaDirectory,
  type InvocationSink,
} from '#core'
import { AccessLog } from './access-log.ts'
import { CallMetrics } from './call-metrics.ts'
import { HoldMetrics } from './hold-metrics.ts'
import { notifierOptions } from './options.ts'
import { OutcomeObserver } from './outcome-observer.ts'

/** Announces how every call ended, and turns the announcements into metrics and an access log. */
export const plugin = definePlugin({
  name: 'notifier',
  needs: {
    clock: Clock,
    config: GatewayConfig,
    directory: ReplicaDirectory,
    events: InvocationEvents,
    meter: Meter,
    series: InvocationSeries,
  },
  options: notifierOptions,
  setup({ options, deps, log }) {
    const observer = new OutcomeObserver(deps)
    const sinks: InvocationSink[] = [new CallMetrics(deps), new HoldMetrics(deps)]
    if (options.accessLog !== 'off') {
      const linesPerSecond = options.accessLog === 'on' ? Number.POSITIVE_INFINITY : options.linesPerSecond
      const withQuery = deps.config.writeRequestUri
      sinks.push(new AccessLog({ log, clock: deps.clock, options: { linesPerSecond, withQuery } }))
    }
    const subscriptions = sinks.map((sink) => deps.events.subscribe(sink))
    return {
      invocation: { stage: 'observe', handle: (exchange, next) => observer.handle(exchange, next) },
      [Symbol.asyncDispose]: async () => {
        for (const subscription of subscriptions) subscription[Symbol.dispose]()
      },
    }
  },
})

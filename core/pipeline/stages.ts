import type { Exchange } from './exchange.ts'
import type { Reply } from './reply.ts'

/**
 * The stages of the function path, outermost first. Core routes before the first and forwards after the last. The list
 * is closed; inside a stage, order is the order of the plugins in the configuration.
 */
export const stages = ['observe', 'identify', 'admit', 'retry', 'place'] as const

/** Name of one stage. */
export type Stage = (typeof stages)[number]

/** Answers an exchange. Throws a GatewayError for a failure that core shall explain to the client. */
export type Handler = (exchange: Exchange) => Promise<Reply>

/**
 * One layer of the function path. It may answer by itself, hand a narrowed copy of the exchange to `next`, call `next` again
 * (only while `exchange.request.body.replayable`), and read or change the reply before its first byte is sent.
 */
export type Middleware = (exchange: Exchange, next: Handler) => Promise<Reply>

/** Nests the layers around `forward`, the first layer outermost. Run once at boot. */
export function compose(layers: readonly Middleware[], forward: Handler): Handler {
  return layers.reduceRight<Handler>((next, layer) => (exchange) => layer(exchange, next), forward)
}

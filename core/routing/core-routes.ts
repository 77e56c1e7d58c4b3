import { BufferReply, textReply } from '../pipeline/buffer-reply.ts'
import type { Readiness } from '../readiness.ts'
import type { SystemRoute } from './system-route.ts'

/** The routes that every gateway has, whatever its plugins. Health is that of the gateway alone. */
export function coreRoutes(readiness: Readiness): readonly SystemRoute[] {
  return [
    { methods: ['GET', 'HEAD'], path: '/healthz', handle: async () => textReply(200, 'OK') },
    {
      methods: ['GET', 'HEAD'],
      path: '/readyz',
      handle: async () => {
        const reasons = readiness.reasons()
        return reasons.length === 0
          ? textReply(200, 'OK')
          : textReply(503, `${reasons.join('\n')}\n`, { 'Retry-After': '1' })
      },
    },
    {
      methods: ['GET', 'HEAD'],
      path: '/',
      handle: async () =>
        new BufferReply(
          307,
          { Location: '/ui/', 'Content-Type': 'text/html; charset=utf-8' },
          '<a href="/ui/">Temporary Redirect</a>.\n',
        ),
    },
  ]
}

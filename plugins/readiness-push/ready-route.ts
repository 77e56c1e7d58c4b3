import {
  BufferReply,
  type Existence,
  GatewayError,
  type Logger,
  type Meter,
  type ReadinessAnnouncer,
  type Reply,
  type SystemRequest,
  type SystemRoute,
} from '#core'
import { decodeAnnouncement } from './announcement.ts'

/** What the route works with. */
export interface ReadyRouteDeps {
  readonly announcer: ReadinessAnnouncer
  readonly existence: Existence
  readonly meter: Meter
  readonly log: Logger
  readonly defaultNamespace: string
  readonly maxBodyBytes: number
}

/**
 * What became of an announcement.
 * - `accepted`: all gateways are told
 * - `unknown`: there is no such function
 * - `invalid`: it could not be read
 * - `failed`: the provider could not be asked, or the gateways not be told
 */
type AnnouncementOutcome = 'accepted' | 'unknown' | 'invalid' | 'failed'

const outcomes: readonly AnnouncementOutcome[] = ['accepted', 'unknown', 'invalid', 'failed']

/** Takes announcements at `POST /system/function-ready`: 202 when all gateways are told, else a problem document. */
export function readyRoute(deps: ReadyRouteDeps): SystemRoute {
  const count = announcementCounter(deps.meter)
  const handle = async (request: SystemRequest): Promise<Reply> => {
    try {
      await announce(deps, request)
    } catch (error) {
      count(outcomeOf(error))
      throw error
    }
    count('accepted')
    return new BufferReply(202)
  }
  return { methods: ['POST'], path: '/system/function-ready', handle }
}

async function announce(deps: ReadyRouteDeps, { request }: SystemRequest): Promise<void> {
  const { announcer, existence, log } = deps
  const bytes = await request.body.bytes(deps.maxBodyBytes)
  const { identity, available } = decodeAnnouncement(Buffer.from(bytes).toString('utf8'), deps.defaultNamespace)
  if (!(await existence.confirm(identity))) {
    throw new GatewayError('function_not_found', `no function named "${identity.key}"`)
  }
  await announcer.announceReady(identity, available)
  log.debug('a function was announced to be ready', { function: identity.key, available })
}

/** Every series is there from the start, so that the first increase can be seen. */
function announcementCounter(meter: Meter): (outcome: AnnouncementOutcome) => void {
  const counter = meter.createCounter('pilotlight_readiness_announcements_total', {
    description: 'Announcements that a function is ready, by what became of them.',
  })
  for (const outcome of outcomes) counter.add(0, { outcome })
  return (outcome) => counter.add(1, { outcome })
}

function outcomeOf(error: unknown): AnnouncementOutcome {
  const { code } = GatewayError.from(error)
  if (code === 'function_not_found') return 'unknown'
  return code === 'request_invalid' || code === 'body_too_large' ? 'invalid' : 'failed'
}

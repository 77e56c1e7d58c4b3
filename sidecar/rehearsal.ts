import {
  Agent,
  BufferReply,
  type Clock,
  type Forwarder,
  HttpListener,
  type Logger,
  request as send,
  type RequestHandler,
} from '#core/lean'
import { functionHeaders } from './inbound/function-headers.ts'

/** What a rehearsal works with. */
export interface RehearsalDeps {
  readonly clock: Clock
  readonly log: Logger
  /** The one that will carry calls. */
  readonly forwarder: Forwarder
  /** Whether the function takes calls: then there is nothing more to rehearse for. */
  readonly isOver: () => boolean
}

/** So many calls bring most of what can be gained. */
const calls = 12
const host = '127.0.0.1'

/**
 * Has calls pass through this process from end to end while the function is still starting: what has never run is compiled by the first
 * call otherwise, which somebody waits for. They go from the process to itself, and count nowhere. Never rejects.
 */
export async function rehearse({ clock, log, forwarder, isOver }: RehearsalDeps): Promise<void> {
  const listener = (handle: RequestHandler): HttpListener =>
    new HttpListener({
      handle,
      readTimeoutMs: 1_000,
      maxHeaderBytes: 16_384,
      maxHeaderLines: 100,
      replayBodyBytes: 8_192,
      onFailure: () => {},
      onError: () => {},
      clock,
    })
  const behind = listener(async (request) => new BufferReply(200, {}, await request.body.bytes(1_024)))
  let origin = ''
  const front = listener(async (request) =>
    forwarder.forward({ request, origin, path: request.target, headers: functionHeaders(request), timeoutMs: 1_000 }),
  )
  const agent = new Agent({ keepAlive: true })
  try {
    origin = `http://${host}:${await behind.listen(host, 0)}`
    const port = await front.listen(host, 0)
    for (let call = 0; call < calls && !isOver(); call += 1) await rehearseOne(port, agent)
  } catch (error) {
    log.debug('calls could not be rehearsed', { error })
  } finally {
    agent.destroy()
    forwarder.forget?.(origin)
    await Promise.all([front[Symbol.asyncDispose](), behind[Symbol.asyncDispose]()])
  }
}

function rehearseOne(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = send({ host, port, agent, method: 'POST', path: '/', timeout: 1_000 }, (answer) => {
      answer.resume()
      answer.once('close', resolve)
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', reject)
    outgoing.end('rehearsal')
  })
}

import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'
import { machineMs } from './machine-clock.ts'

/** What one caller got. */
export interface Outcome {
  /** 0 when no whole answer came. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Instant of the machine's clock at which the head of the answer came. */
  readonly atMs: number
}

/** A call under way. */
export interface Caller {
  readonly outcome: Promise<Outcome>
  /** Leaves without waiting for the answer. */
  leave(): void
}

/** What to call. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Starts one call on a connection of its own. */
export function startCall(url: string, { method = 'GET', headers = {}, body }: Call = {}): Caller {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const nothing = (): void => {
    resolve({ status: 0, headers: {}, body: '', atMs: machineMs() })
  }
  const outgoing: ClientRequest = request(url, { method, headers, agent: false }, (response) => {
    const atMs = machineMs()
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    response.on('error', nothing)
    response.once('close', () => {
      if (!response.complete) nothing()
      const whole = {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(pieces).toString(),
      }
      resolve({ ...whole, atMs })
    })
  })
  outgoing.once('error', nothing)
  outgoing.end(body)
  return { outcome: promise, leave: () => void outgoing.destroy() }
}

/** Makes one call on a connection of its own. */
export function call(url: string, options?: Call): Promise<Outcome> {
  return startCall(url, options).outcome
}

/** Makes `count` calls at once, each on a connection of its own. */
export function callTogether(count: number, url: string, options?: Call): Promise<Outcome[]> {
  return Promise.all(Array.from({ length: count }, () => call(url, options)))
}

/** How many outcomes had each status. */
export function statuses(outcomes: readonly Outcome[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

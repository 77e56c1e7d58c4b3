import { type Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { machineMs } from './machine-clock.ts'

/** Where a call goes: through the balancer, or to the gateway of that name itself. */
export type Via = 'balancer' | `gateway-${number}`

/** What is called. */
export interface ChaosTarget {
  readonly via: Via
  /** URL of the balancer or the gateway, without a path. */
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Name of the function. */
  readonly name: string
  /** Whose connections are used; without one, the call has a connection of its own. */
  readonly agent?: Agent
}

/** One call that has ended, and all that the oracle needs to know of it. */
export interface CallRecord {
  /** Unique; the function answers with it. */
  readonly id: number
  readonly name: string
  readonly via: Via
  readonly method: 'GET' | 'POST'
  /** Instants of the machine's clock. */
  readonly startMs: number
  readonly endMs: number
  /** `whole`: a complete answer; `broken`: the connection ended before; `none`: nothing ended within the caller's patience. */
  readonly end: 'whole' | 'broken' | 'none'
  /** Status of the answer's head; 0 when none came. */
  readonly status: number
  readonly type: string
  readonly body: string
}

let lastId = 0

/** Text that a function answers to the call with this number, so that no answer can be taken for another one. */
export function rightAnswer(name: string, id: number): string {
  return `${name} answers ${id}`
}

/** Makes one call. Resolves in any case, at the latest after `patienceMs`. */
export function callOnce(target: ChaosTarget, patienceMs: number): Promise<CallRecord> {
  const { via, url, method, name, agent = false } = target
  const id = (lastId += 1)
  const startMs = machineMs()
  return new Promise((resolve) => {
    const seen = { status: 0, type: '', body: '' }
    const outgoing = request(`${url}/function/${name}?id=${id}`, { method, agent })
    const settle = (end: CallRecord['end']): void => {
      clearTimeout(timer)
      resolve({ id, name, via, method, startMs, endMs: machineMs(), end, ...seen })
    }
    const timer = setTimeout(() => {
      settle('none')
      outgoing.destroy()
    }, patienceMs)
    outgoing.once('error', () => settle('broken'))
    outgoing.once('response', (response) => takeAnswer(response, seen, settle))
    send(outgoing, method, id)
  })
}

function send(outgoing: ClientRequest, method: string, id: number): void {
  if (method === 'POST') outgoing.end(`body of ${id}`)
  else outgoing.end()
}

function takeAnswer(
  response: IncomingMessage,
  seen: { status: number; type: string; body: string },
  settle: (end: CallRecord['end']) => void,
): void {
  seen.status = response.statusCode ?? 0
  seen.type = response.headers['content-type'] ?? ''
  response.on('data', (piece: Buffer) => (seen.body += piece.toString()))
  response.on('error', () => {})
  response.once('close', () => settle(response.complete ? 'whole' : 'broken'))
}

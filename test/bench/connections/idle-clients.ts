/**
 * Clients that make one call each and then keep their connection without using it. A process of its own; arguments: url, how
 * many. Sends an `IdleCount` when every client has its answer or has failed, and again for each message that it gets.
 */
import { connect } from 'node:net'
import { AnswerReader } from '../answer-reader.ts'

/** How the clients fare. */
export interface IdleCount {
  /** Connections that are open now. */
  readonly open: number
  /** Clients that got no answer with status 200. */
  readonly failures: number
}

/** Clients that connect at the same time: fewer than a listening socket keeps waiting. */
const atATime = 100

const [url = '', wanted = '0'] = process.argv.slice(2)
const { hostname, port, pathname } = new URL(url)
const request = `GET ${pathname} HTTP/1.1\r\nHost: bench\r\n\r\n`
const readBuffer = Buffer.allocUnsafe(16 * 1024)
let started = 0
let open = 0
let failures = 0

function tell(): void {
  process.send?.({ open, failures } satisfies IdleCount)
}

/** One client; resolves when it has its answer, or will get none. */
function client(): Promise<void> {
  return new Promise((resolve) => {
    let isOk = false
    const reader = new AnswerReader((status) => {
      isOk = status === 200
      resolve()
    })
    const callback = (count: number): boolean => reader.push(readBuffer.subarray(0, count))
    const socket = connect({ host: hostname, port: Number(port), onread: { buffer: readBuffer, callback } })
    socket.once('connect', () => {
      open += 1
      socket.once('close', () => (open -= 1))
      socket.write(request)
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      if (!isOk) failures += 1
      resolve()
    })
  })
}

async function clients(): Promise<void> {
  while (started < Number(wanted)) {
    started += 1
    await client()
  }
}

await Promise.all(Array.from({ length: atATime }, clients))
process.on('message', tell)
tell()

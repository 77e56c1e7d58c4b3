import { connect } from 'node:net'
import { machineMs } from '../../support/machine-clock.ts'

/** When a server that is just being started was there. Instants of the machine's clock. */
export interface FirstAnswer {
  /** A connection was accepted. */
  readonly acceptedAtMs: number
  /** The first bytes of a 200 came. */
  readonly answeredAtMs: number
}

/** Between two attempts, milliseconds. */
const pauseMs = 1
const statusOk = 'HTTP/1.1 200 '

/** Asks again every millisecond until the answer is a 200. @throws Error when there is none within `patienceMs` */
export async function firstAnswer(url: string, patienceMs = 15_000): Promise<FirstAnswer> {
  const untilMs = machineMs() + patienceMs
  let acceptedAtMs = 0
  while (machineMs() < untilMs) {
    const attempt = await ask(url, '/function/echo')
    if (acceptedAtMs === 0) ({ acceptedAtMs } = attempt)
    if (attempt.answeredAtMs > 0) return { acceptedAtMs, answeredAtMs: attempt.answeredAtMs }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  throw new Error(`${url} does not answer 200 within ${patienceMs} ms`)
}

/** One call over a connection of its own; what did not happen is 0. Does not wait for the end of the answer. */
export function ask(url: string, path: string): Promise<FirstAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    let acceptedAtMs = 0
    let answeredAtMs = 0
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
      acceptedAtMs = machineMs()
      socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
    })
    socket.once('data', (piece: Buffer) => {
      if (piece.toString('latin1').startsWith(statusOk)) answeredAtMs = machineMs()
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => resolve({ acceptedAtMs, answeredAtMs }))
  })
}

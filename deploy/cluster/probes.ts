import { connect } from 'node:net'

const attemptMs = 1_000

/** Whether a path of a server on loopback is answered 200. */
export async function answersOk(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(attemptMs), headers: { connection: 'close' } })
  await answer.arrayBuffer()
  return answer.status === 200
}

/** Whether a Redis on loopback answers a PING. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const settle = (isReady: boolean): void => {
      socket.destroy()
      resolve(isReady)
    }
    socket.setTimeout(attemptMs, () => settle(false))
    socket.once('error', () => settle(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (piece: Buffer) => settle(piece.toString('latin1').startsWith('+PONG')))
    socket.once('end', () => settle(false))
  })
}

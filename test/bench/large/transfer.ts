import { connect } from 'node:net'
import { machineMs } from '../../support/machine-clock.ts'
import { AnswerReader } from '../answer-reader.ts'

/** One large body. */
export interface Transfer {
  readonly url: string
  readonly direction: 'answer' | 'upload'
  readonly bytes: number
  /** Milliseconds that the reader of an answer rests after each MiB. */
  readonly restMs: number
}

const piece = Buffer.alloc(256 * 1024, 'x')
const mebibyte = 1024 * 1024

/** Passes one body through a contender, over a connection of its own; resolves with the milliseconds that it took. */
export function transfer({ url, direction, bytes, restMs }: Transfer): Promise<number> {
  const { hostname, port } = new URL(url)
  const fromMs = machineMs()
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let owed = direction === 'upload' ? bytes : 0
    let sinceRest = 0
    const send = (): void => {
      while (owed > 0) {
        const next = owed < piece.length ? piece.subarray(0, owed) : piece
        owed -= next.length
        if (!socket.write(next)) return
      }
    }
    const rest = (): void => {
      sinceRest = 0
      socket.pause()
      setTimeout(() => socket.resume(), restMs)
    }
    const reader = new AnswerReader((status) => {
      if (status === 200) resolve(machineMs() - fromMs)
      else reject(new Error(`${url} was answered ${status}`))
      socket.destroy()
    })
    socket.on('data', (received: Buffer) => {
      if (!reader.push(received)) socket.destroy(new Error('not an answer with a Content-Length'))
      sinceRest += received.length
      if (restMs > 0 && sinceRest >= mebibyte) rest()
    })
    socket.on('drain', send)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${url} closed before its answer was whole`)))
    const method = direction === 'upload' ? 'POST /function/large' : `GET /function/large?${bytes}`
    const lengthLine = direction === 'upload' ? `Content-Length: ${bytes}\r\n` : ''
    socket.write(`${method} HTTP/1.1\r\nHost: bench\r\n${lengthLine}\r\n`)
    send()
  })
}

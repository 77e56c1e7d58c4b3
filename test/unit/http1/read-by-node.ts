import { request } from 'node:http'
import { Duplex } from 'node:stream'
import type { AnswerBytes, ReadAnswer } from './read-answer.ts'

/** Reads the answer with node's own client, over a connection that is none. Its connections are never reusable. */
export function readByNode({ pieces, method = 'GET' }: AnswerBytes): Promise<ReadAnswer> {
  const { promise, resolve } = Promise.withResolvers<ReadAnswer>()
  const informational: [number, readonly string[]][] = []
  const body: Buffer[] = []
  const nothing = { status: undefined, statusText: '', rawHeaders: [], trailers: [] }
  let read: Pick<ReadAnswer, 'status' | 'statusText' | 'rawHeaders' | 'trailers'> = nothing
  const settle = (end: string): void => {
    resolve({
      ...read,
      informational,
      body: Buffer.concat(body).toString('latin1'),
      end,
      reusable: false,
      enough: undefined,
    })
  }
  const socket = new Duplex({
    read: () => {},
    write: (_bytes, _encoding, done) => done(),
    final: (done) => done(),
  })
  const call = request({ method, createConnection: () => socket, maxHeaderSize: 1 << 20, host: 'x', setHost: true })
  call.on('information', (info) => informational.push([info.statusCode, info.rawHeaders]))
  call.on('upgrade', () => settle('malformed: upgraded'))
  call.on('error', (error: NodeJS.ErrnoException) => settle(`malformed: ${error.code}`))
  call.on('response', (answer) => {
    const head = () => ({
      status: answer.statusCode,
      statusText: answer.statusMessage ?? '',
      rawHeaders: answer.rawHeaders,
      trailers: answer.rawTrailers,
    })
    read = head()
    answer.on('data', (piece: Buffer) => body.push(piece))
    answer.on('error', () => {})
    answer.on('close', () => {
      read = head()
      settle(answer.complete ? 'whole' : 'cut')
    })
  })
  call.end(() => {
    for (const piece of pieces) socket.push(piece)
    socket.push(null)
  })
  return promise
}

/**
 * A function that answers every call after `DELAY_MS`, on bare sockets with prepared bytes; one request at a time on a connection,
 * without a body. Also answers the provider calls of a gateway in front of it, at once: there is the function `echo`.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { announce } from '../bench-process.ts'
import { RequestReader } from '../request-reader.ts'

/** As upstream.ts. */
const bodyBytes = 940
const delayMs = Number(process.env['DELAY_MS'] ?? '0')
const status = {
  name: 'echo',
  namespace: '',
  image: 'echo',
  replicas: 1,
  availableReplicas: 1,
  labels: {},
  annotations: {},
}

function prepared(type: string, body: string): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

const hello = prepared('text/plain', 'x'.repeat(bodyBytes))
const none = prepared('application/json', '[]')
const one = prepared('application/json', JSON.stringify(status))
const all = prepared('application/json', JSON.stringify([status]))

function answer(socket: Socket, head: string): void {
  if (head.startsWith('GET /system/functions')) socket.write(all)
  else if (head.startsWith('GET /system/function/')) socket.write(one)
  else if (head.startsWith('GET /system/')) socket.write(none)
  else if (delayMs === 0) socket.write(hello)
  else setTimeout(() => socket.write(hello), delayMs)
}

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new RequestReader(({ head }) => answer(socket, head))
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => reader.push(piece))
})
server.listen(0, '127.0.0.1', 4096, () => announce((server.address() as AddressInfo).port)) // a TCP server's address

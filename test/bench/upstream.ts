/**
 * The cheapest upstream that Node can be: answers every request on a bare socket from prepared bytes. Counts blank lines
 * instead of parsing, so it takes requests without a body only. Also answers the provider calls of a gateway in front of it.
 */
import { createServer, type AddressInfo } from 'node:net'
import { announce } from './bench-process.ts'

/** Size of the body, in bytes, that every contender passes on. */
const bodyBytes = 940

const blankLine = Buffer.from('\r\n\r\n')
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
const one = prepared('application/json', JSON.stringify(status))
const list = prepared('application/json', JSON.stringify([status]))
const none = prepared('application/json', '[]')

function answerTo(head: Buffer): Buffer {
  if (head.subarray(0, 12).toString('latin1') !== 'GET /system/') return hello
  const path = head.subarray(4, head.indexOf(' ', 4)).toString('latin1')
  if (path.startsWith('/system/function/')) return one
  return path.startsWith('/system/functions') ? list : none
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    let bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (let end = bytes.indexOf(blankLine); end !== -1; end = bytes.indexOf(blankLine)) {
      socket.write(answerTo(bytes))
      bytes = bytes.subarray(end + blankLine.length)
    }
    rest = bytes
  })
})
server.listen(0, '127.0.0.1', 4096, () => announce((server.address() as AddressInfo).port)) // a TCP server's address

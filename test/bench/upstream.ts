/**
 * The cheapest upstream that Node can be: answers every request on a bare socket from prepared bytes. Counts blank lines
 * instead of parsing, so it takes requests without a body only. Also answers the provider calls of a gateway in front of it:
 * there is the function `echo`, and there are as many more (`f000`, `f001`, ...) as `FUNCTIONS` says, up to 1,000.
 *
 * A function whose name has four letters answers with another status when the query is nothing but one: `/function/f017?404`.
 */
import { createServer, type AddressInfo } from 'node:net'
import { announce } from './bench-process.ts'
import { functionName } from './many-functions.ts'

/** Size of the body, in bytes, that every contender passes on. */
const bodyBytes = 940

const blankLine = Buffer.from('\r\n\r\n')
const questionMark = 0x3f
const queryAt = 'GET /function/f017'.length
const names = ['echo', ...Array.from({ length: Number(process.env['FUNCTIONS'] ?? '0') }, (_, i) => functionName(i))]

function statusOf(name: string): Readonly<Record<string, unknown>> {
  return { name, namespace: '', image: name, replicas: 1, availableReplicas: 1, labels: {}, annotations: {} }
}

function prepared(type: string, body: string, status = '200 OK'): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

const body = 'x'.repeat(bodyBytes)
const hello = prepared('text/plain', body)
const list = prepared('application/json', JSON.stringify(names.map(statusOf)))
const none = prepared('application/json', '[]')
const byName = new Map(names.map((name) => [name, prepared('application/json', JSON.stringify(statusOf(name)))]))
const byStatus = new Map<string, Buffer>()

function answerTo(head: Buffer): Buffer {
  if (head[queryAt] === questionMark) return withStatus(head.toString('latin1', queryAt + 1, queryAt + 4))
  if (head.subarray(0, 12).toString('latin1') !== 'GET /system/') return hello
  const path = head.subarray(4, head.indexOf(' ', 4)).toString('latin1')
  if (path.startsWith('/system/functions')) return list
  const name = /^\/system\/function\/([^/?]+)/.exec(path)?.[1]
  return (name === undefined ? undefined : byName.get(name)) ?? none
}

function withStatus(status: string): Buffer {
  if (!/^\d{3}$/.test(status)) return hello
  const known = byStatus.get(status) ?? prepared('text/plain', body, `${status} Benchmark`)
  byStatus.set(status, known)
  return known
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

/**
 * An upstream for large bodies on bare sockets: `GET .../function/large?<bytes>` is answered with so many bytes from one prepared
 * piece; a POST with a Content-Length is read to its end, without looking at it, and answered with a few bytes. Also answers
 * the provider calls of a gateway: there is the function `large`.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { announce } from '../bench-process.ts'

const blankLine = Buffer.from('\r\n\r\n')
const lengthLine = /\r\ncontent-length:[ \t]*(\d+)/i
const piece = Buffer.alloc(64 * 1024, 'x')
const nothing: Buffer = Buffer.alloc(0)
const status = {
  name: 'large',
  namespace: '',
  image: 'large',
  replicas: 1,
  availableReplicas: 1,
  labels: {},
  annotations: {},
}

function head(type: string, bytes: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`
}

function json(value: unknown): string {
  const text = JSON.stringify(value)
  return head('application/json', text.length) + text
}

function providerAnswer(path: string): string {
  if (path.startsWith('/system/functions')) return json([status])
  return json(path.startsWith('/system/function/') ? status : [])
}

class Connection {
  readonly #socket: Socket
  #rest = nothing
  /** Bytes of a request's body that are to come. */
  #awaited = 0
  /** Bytes of an answer's body that are to be sent. */
  #owed = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('drain', () => this.#send())
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  #take(bytes: Buffer): void {
    let from = 0
    if (this.#awaited > 0) {
      from = Math.min(this.#awaited, bytes.length)
      this.#awaited -= from
      if (this.#awaited === 0) this.#socket.write(`${head('text/plain', 5)}taken`)
    }
    if (from === bytes.length) return
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(from)])
    const end = this.#rest.indexOf(blankLine)
    if (end === -1) return
    const request = this.#rest.toString('latin1', 0, end)
    const body = this.#rest.subarray(end + blankLine.length)
    this.#rest = nothing
    this.#answer(request)
    if (body.length > 0) this.#take(body)
  }

  #answer(request: string): void {
    const [, method = '', path = ''] = /^(\S+) (\S+) /.exec(request) ?? []
    if (path.startsWith('/system/')) this.#socket.write(providerAnswer(path))
    else if (method === 'POST') this.#await(Number(lengthLine.exec(request)?.[1] ?? Number.NaN))
    else this.#begin(Number(/\?(\d+)$/.exec(path)?.[1] ?? 0))
  }

  #await(bytes: number): void {
    this.#awaited = bytes
    if (Number.isNaN(bytes)) this.#socket.destroy(new Error('a body without a Content-Length'))
  }

  #begin(bytes: number): void {
    this.#owed = bytes
    this.#socket.write(head('application/octet-stream', bytes))
    this.#send()
  }

  #send(): void {
    while (this.#owed > 0) {
      const next = this.#owed < piece.length ? piece.subarray(0, this.#owed) : piece
      this.#owed -= next.length
      if (!this.#socket.write(next)) return
    }
  }
}

const server = createServer({ noDelay: true }, (socket) => void new Connection(socket))
server.listen(0, '127.0.0.1', 4096, () => announce((server.address() as AddressInfo).port)) // a TCP server's address

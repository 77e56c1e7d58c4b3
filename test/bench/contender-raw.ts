/**
 * The limit of the method: a gateway on bare sockets on both sides, with the least parsing that this benchmark can be answered
 * with. Requests without a body, answers with a Content-Length, one upstream connection for each call under way. What it leaves
 * out, and why nobody should run it, is in README.md, "What a raw client side would take".
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { announce } from './bench-process.ts'

const blankLine = Buffer.from('\r\n\r\n')
const lengthLine = Buffer.from('\r\nContent-Length: ')
const nothing: Buffer = Buffer.alloc(0)
const { hostname, port } = new URL(process.env['UPSTREAM_URL'] ?? 'http://127.0.0.1:1')

/** Upstream connections without a call. */
const idle: Upstream[] = []

/** One connection to the upstream: its answer goes to whoever called last. */
class Upstream {
  readonly #socket: Socket
  #caller: Caller | undefined
  #missing = 0

  constructor() {
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#caller?.hangUp())
    this.#socket.on('data', (piece: Buffer) => this.#pass(piece))
  }

  call(caller: Caller, request: Buffer): void {
    this.#caller = caller
    this.#socket.write(request)
  }

  get isUsable(): boolean {
    return !this.#socket.destroyed
  }

  #pass(piece: Buffer): void {
    const caller = this.#caller
    if (this.#missing === 0) this.#missing = wholeLength(piece)
    this.#missing -= piece.length
    if (this.#missing < 0 || caller === undefined) {
      this.#socket.destroy()
      return
    }
    if (this.#missing > 0) {
      caller.answer(piece)
      return
    }
    this.#caller = undefined
    idle.push(this)
    caller.answer(piece)
    caller.next()
  }
}

class Caller {
  readonly #socket: Socket
  #waiting = nothing
  #isServed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      this.#waiting = this.#waiting.length === 0 ? piece : Buffer.concat([this.#waiting, piece])
      if (!this.#isServed) this.next()
    })
  }

  next(): void {
    const end = this.#waiting.indexOf(blankLine)
    this.#isServed = end !== -1
    if (end === -1) return
    const request = this.#waiting.subarray(0, end + blankLine.length)
    this.#waiting = this.#waiting.subarray(request.length)
    takeUpstream().call(this, request)
  }

  answer(piece: Buffer): void {
    this.#socket.write(piece)
  }

  hangUp(): void {
    this.#socket.destroy()
  }
}

function takeUpstream(): Upstream {
  for (let one = idle.pop(); one !== undefined; one = idle.pop()) if (one.isUsable) return one
  return new Upstream()
}

/** Bytes of head and body; 0 for a head that came in pieces, which the upstream of this benchmark never sends. */
function wholeLength(piece: Buffer): number {
  const end = piece.indexOf(blankLine)
  const from = piece.indexOf(lengthLine)
  if (end === -1 || from === -1) return 0
  return end + blankLine.length + Number.parseInt(piece.toString('latin1', from + lengthLine.length, end), 10)
}

const server = createServer({ noDelay: true }, (socket) => void new Caller(socket))
server.listen(0, '127.0.0.1', 4096, () => announce((server.address() as AddressInfo).port)) // a TCP server's address

import { connect, type Socket } from 'node:net'

/** Announces over one kept connection to a gateway that functions are ready. */
export class Announcer implements Disposable {
  readonly #socket: Socket
  /** Announcements without an answer so far. */
  #open = 0
  #isClosed = false

  /** @param onRefusal called for each announcement that was not accepted, or not answered */
  constructor(url: string, onRefusal: () => void) {
    const { hostname, port } = new URL(url)
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('data', (piece: Buffer) => {
      this.#open -= 1
      // An answer is one packet: it has no body, or a short one.
      if (!piece.toString('latin1').startsWith('HTTP/1.1 202 ')) onRefusal()
    })
    this.#socket.once('close', () => {
      this.#isClosed = true
      for (; this.#open > 0; this.#open -= 1) onRefusal()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  announce(name: string): void {
    const body = JSON.stringify({ name, available: 1 })
    const head = `POST /system/function-ready HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    this.#open += 1
    this.#socket.write(`${head}\r\n\r\n${body}`)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

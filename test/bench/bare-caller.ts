import { connect, type Socket } from 'node:net'
import { machineMs } from '../support/machine-clock.ts'

/** What a caller saw. */
export interface BareAnswer {
  /** Instant of the machine's clock at which the first bytes came. */
  readonly firstByteMs: number
  /** Whether it was a 200 with the whole body of a scripted function. */
  readonly isWhole: boolean
}

/** One client on a bare socket: 300 of them must cost little beside the gateway that they measure. */
export class BareCaller {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Connects, so that the call is nothing but a write. */
  static connect(url: string): Promise<BareCaller> {
    const { hostname, port } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        socket.on('error', () => socket.destroy())
        resolve(new BareCaller(socket))
      })
    })
  }

  /** Makes one call; resolves when the gateway closed the connection. */
  call(target: string): Promise<BareAnswer> {
    return new Promise((resolve) => {
      let firstByteMs = 0
      let text = ''
      this.#socket.on('data', (piece: Buffer) => {
        if (firstByteMs === 0) firstByteMs = machineMs()
        text += piece.toString('latin1')
      })
      this.#socket.once('close', () => {
        resolve({ firstByteMs, isWhole: text.startsWith('HTTP/1.1 200 ') && text.endsWith('\r\n\r\nhello\n') })
      })
      this.#socket.write(`GET ${target} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
    })
  }
}

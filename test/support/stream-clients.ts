import { type ClientRequest, get } from 'node:http'
import { WebSocket } from 'ws'
import { eventually } from './eventually.ts'

/** Something that is open until one side ends it. */
export interface OpenStream extends Disposable {
  /** Resolves with how it ended: `complete` as the function wished, or `cut`. */
  readonly ended: Promise<'complete' | 'cut'>
}

/** A reader of an event stream. */
export class EventReader implements OpenStream {
  text = ''
  readonly ended: Promise<'complete' | 'cut'>
  readonly #request: ClientRequest

  constructor(url: string) {
    const { promise, resolve } = Promise.withResolvers<'complete' | 'cut'>()
    this.ended = promise
    this.#request = get(url, { agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (piece: string) => (this.text += piece))
      response.on('error', () => {})
      response.once('close', () => resolve(response.complete ? 'complete' : 'cut'))
    })
    this.#request.on('error', () => resolve('cut'))
  }

  async reads(text: string): Promise<void> {
    await eventually(`the event "${text}"`, () => this.text.includes(`data: ${text}\n\n`))
  }

  [Symbol.dispose](): void {
    this.#request.destroy()
  }
}

/** One end of a WebSocket. */
export class SocketTalker implements OpenStream {
  readonly heard: string[] = []
  readonly ended: Promise<'complete' | 'cut'>
  readonly #socket: WebSocket

  constructor(url: string) {
    this.#socket = new WebSocket(url.replace('http:', 'ws:'))
    this.#socket.on('message', (data: Buffer) => this.heard.push(data.toString())) // as it comes by default
    this.#socket.on('error', () => {})
    // 1006 is a connection that ended without a closing handshake, 1005 a close without a code.
    this.ended = new Promise((resolve) => {
      this.#socket.once('close', (code) => resolve(code === 1006 ? 'cut' : 'complete'))
    })
  }

  async opened(): Promise<void> {
    await eventually('the WebSocket to open', () => this.#socket.readyState === WebSocket.OPEN)
  }

  /** Says something, and resolves with the echo. */
  async echoes(text: string): Promise<void> {
    this.#socket.send(text)
    await eventually(`the echo of "${text}"`, () => this.heard.includes(`echo of ${text}`))
  }

  close(): void {
    this.#socket.close()
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }
}

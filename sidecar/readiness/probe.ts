import { connect, type Socket } from 'node:net'
import type { Clock } from '#core/lean'
import { StatusReader } from './status-reader.ts'

/** What must answer. */
export interface ProbeTarget {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** Must be answered 2xx; empty asks for a connection only. */
  readonly path: string
}

/**
 * What a probe found.
 * - `well`: it accepts, and its path answers 2xx
 * - `refused`: nobody listens
 * - `late`: no connection, or no answer, within the time limit: it may be busy
 * - `failing`: anything else; `problem` says what, safe to show
 */
export type ProbeFinding =
  | { readonly kind: 'well' }
  | { readonly kind: 'refused' | 'late' | 'failing'; readonly problem: string }

/** What a probe is made with. */
export interface ProbeDeps {
  readonly clock: Clock
  /** For all of it: connection and answer. */
  readonly timeoutMs: number
}

/** Bytes of an answer's rest that are read, so that a small function does not see its answer refused. */
const politeBytes = 64 * 1024

/** Asks once. Never rejects; when the signal aborts, the finding is `failing`. */
export function probe(target: ProbeTarget, deps: ProbeDeps, signal: AbortSignal): Promise<ProbeFinding> {
  return new Promise((resolve) => new Probe(target, resolve).begin(deps, signal))
}

class Probe {
  readonly #target: ProbeTarget
  readonly #resolve: (finding: ProbeFinding) => void
  readonly #socket: Socket
  readonly #reader = new StatusReader()
  #isConnected = false
  #isAnswered = false

  constructor(target: ProbeTarget, resolve: (finding: ProbeFinding) => void) {
    this.#target = target
    this.#resolve = resolve
    this.#socket = connect({ host: target.host, port: target.port, noDelay: true })
  }

  begin({ clock, timeoutMs }: ProbeDeps, signal: AbortSignal): void {
    const socket = this.#socket
    const stop = (): void => this.#fail('the question was given up')
    const timer = clock.after(timeoutMs, () => this.#fail(`${this.#lacking()} within ${timeoutMs} ms`, 'late'))
    socket.once('connect', () => this.#connected())
    socket.on('data', (piece: Buffer) => this.#take(piece))
    socket.once('error', (error) => this.#broke(error))
    socket.once('end', () => this.#fail(`${this.#lacking()}: the connection was closed`))
    socket.once('close', () => {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', stop)
    })
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  }

  #connected(): void {
    this.#isConnected = true
    const { path } = this.#target
    if (path !== '') {
      this.#socket.write(requestOf(this.#target))
      return
    }
    this.#resolve({ kind: 'well' })
    this.#socket.destroy()
  }

  #take(piece: Buffer): void {
    if (this.#isAnswered) {
      if (this.#socket.bytesRead > politeBytes) this.#socket.destroy()
      return
    }
    const { path } = this.#target
    const status = this.#reader.take(piece)
    if (status === undefined) return
    this.#isAnswered = true
    if (status === 'malformed') this.#fail(`${path} is answered with something that is not HTTP/1`)
    else if (status >= 200 && status < 300) this.#resolve({ kind: 'well' })
    else this.#resolve({ kind: 'failing', problem: `${path} is answered ${status}` })
  }

  #broke(error: Error): void {
    const { port } = this.#target
    if (!this.#isConnected && 'code' in error && error.code === 'ECONNREFUSED')
      this.#resolve({ kind: 'refused', problem: `nobody listens on port ${port}` })
    else this.#fail(`${this.#lacking()}: ${error.message}`)
  }

  #fail(problem: string, kind: 'late' | 'failing' = 'failing'): void {
    this.#resolve({ kind, problem })
    this.#socket.destroy()
  }

  #lacking(): string {
    const { port, path } = this.#target
    return this.#isConnected ? `${path} is not answered` : `port ${port} does not accept a connection`
  }
}

function requestOf({ host, port, path }: ProbeTarget): string {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${authority}`, 'User-Agent: pilotlight-sidecar', 'Connection: close']
  return [...lines, '', ''].join('\r\n')
}

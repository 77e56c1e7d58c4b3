import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Counted } from './soak-sample.ts'

/** An answer of the inspector. */
interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A value of the other process, as the inspector tells of it. */
interface RemoteResult {
  readonly result: { readonly value?: unknown; readonly objectId?: string }
  readonly exceptionDetails?: { readonly text: string }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

const group = 'soak'

/** Runs in the other process, on an array of objects. */
const countByClass = `function () {
  const counts = {}
  for (const one of this) {
    const made = Object.getPrototypeOf(one)?.constructor
    const name = typeof made === 'function' ? made.name : ''
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}`

/** Looks into a Node.js process that was started with `--inspect`, by the inspector's protocol. */
export class Inspector implements AsyncDisposable {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Answer)) // the protocol's shape
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspected process has gone'))
    })
    socket.on('error', () => {}) // followed by close
  }

  /** Connects to the URL that Node.js prints when it starts to listen. */
  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await once(socket, 'open')
    return new Inspector(socket)
  }

  /** Frees all that can be freed. */
  async collectGarbage(): Promise<void> {
    await this.#call('HeapProfiler.collectGarbage')
  }

  /** Value of an expression, awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const told = (await this.#call('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as RemoteResult // as the protocol has it
    if (told.exceptionDetails !== undefined) throw new Error(`${expression}: ${told.exceptionDetails.text}`)
    return told.result.value
  }

  /** How many objects there are that are no garbage, by the name of their class. Collects garbage. */
  async objectsByClass(): Promise<Counted> {
    const { result: prototype } = (await this.#call('Runtime.evaluate', {
      expression: 'Object.prototype',
      objectGroup: group,
    })) as RemoteResult // as the protocol has it
    const { objects } = (await this.#call('Runtime.queryObjects', {
      prototypeObjectId: prototype.objectId,
      objectGroup: group,
    })) as { objects: { objectId: string } } // as the protocol has it
    const { result: counts } = (await this.#call('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: countByClass,
      returnByValue: true,
    })) as RemoteResult // as the protocol has it
    await this.#call('Runtime.releaseObjectGroup', { objectGroup: group })
    return counts.value as Counted // what the function returns
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return
    const closed = once(this.#socket, 'close')
    this.#socket.terminate()
    await closed
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  #take({ id = 0, result, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error.message))
  }
}

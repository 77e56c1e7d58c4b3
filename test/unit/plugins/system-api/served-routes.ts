import type { SystemRoute } from '#core'
import { HttpListener } from '../../../../core/http/http-listener.ts'
import { SystemRouter } from '../../../../core/routing/system-router.ts'
import { SystemClock } from '../../../../core/time/system-clock.ts'

/** System routes behind a real listener, without a gateway around them. */
export class ServedRoutes implements AsyncDisposable {
  readonly url: string
  readonly #listener: HttpListener

  private constructor(listener: HttpListener, port: number) {
    this.#listener = listener
    this.url = `http://127.0.0.1:${port}`
  }

  /** Serves them on a free port. */
  static async start(routes: readonly SystemRoute[]): Promise<ServedRoutes> {
    const router = new SystemRouter(routes, [])
    const listener = new HttpListener({
      handle: (request) => router.handle(request),
      readTimeoutMs: 5_000,
      maxHeaderBytes: 16_384,
      maxHeaderLines: 100,
      replayBodyBytes: 65_536,
      onFailure: () => {},
      onError: () => {},
      clock: new SystemClock(),
    })
    return new ServedRoutes(listener, await listener.listen('127.0.0.1', 0))
  }

  call(method: string, path: string, body: string): Promise<Response> {
    return fetch(this.url + path, { method, body, headers: { connection: 'close' } })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
  }
}

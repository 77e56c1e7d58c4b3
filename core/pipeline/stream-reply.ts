import type { ServerResponse } from 'node:http'
import { GatewayError } from '../errors/gateway-error.ts'
import { drained } from '../http/drained.ts'
import type { HeaderList } from '../http/header-list.ts'
import { Reply } from './reply.ts'

/**
 * A reply whose body is produced piece by piece; each piece is flushed. When the source throws after the head was sent,
 * the client's connection is cut, so that a truncated body never looks complete. When the client leaves, the source's
 * iterator is returned.
 */
export class StreamReply extends Reply {
  readonly #body: AsyncIterable<Uint8Array>
  readonly #discardBody: () => void

  /** @param discardBody frees the source when the reply is never sent */
  // oxlint-disable-next-line max-params -- three make the answer, the last one is for sources that hold something
  constructor(
    status: number,
    headers: HeaderList,
    body: AsyncIterable<Uint8Array>,
    discardBody: () => void = () => {},
  ) {
    super(status, '', headers)
    this.#body = body
    this.#discardBody = discardBody
  }

  override sendTo(response: ServerResponse): void {
    response.writeHead(this.status, this.headers)
    response.flushHeaders()
    void this.#pump(response)
  }

  override discard(): void {
    this.#discardBody()
    this.finish('discarded', 0)
  }

  override async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    try {
      for await (const chunk of this.#body) {
        length += chunk.byteLength
        if (length > maxBytes) throw new GatewayError('upstream_failed', `the answer is longer than ${maxBytes} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      throw GatewayError.from(error, 'upstream_failed', 'the answer broke off')
    } finally {
      this.discard()
    }
    return Buffer.concat(chunks, length)
  }

  async #pump(response: ServerResponse): Promise<void> {
    let bytes = 0
    const source = this.#body[Symbol.asyncIterator]()
    const onClose = (): void => {
      if (!response.writableFinished) {
        // A source that cannot even stop concerns nobody any more.
        void (async () => source.return?.())().catch(() => {})
        this.#discardBody()
        this.finish('client_gone', bytes)
      }
    }
    response.once('close', onClose)
    try {
      for (let next = await source.next(); next.done !== true && !response.destroyed; next = await source.next()) {
        bytes += next.value.byteLength
        if (!response.write(next.value)) await drained(response)
      }
      response.end(() => this.finish('complete', bytes))
    } catch {
      response.destroy()
      this.finish('truncated', bytes)
    }
  }
}

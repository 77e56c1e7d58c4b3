import { describe, expect, it } from 'vitest'
import { Connection, type CarriedCall, type ConnectionOwner } from '../../../core/http1/connection.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { answer, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

class Owner implements ConnectionOwner, AsyncDisposable {
  readonly heard: string[] = []
  readonly connection: Connection

  constructor(origin: string) {
    const limits = { maxHeaderBytes: 65_536, maxHeaderLines: 100, connectTimeoutMs: 1_000 }
    this.connection = new Connection(this, new SystemClock(), {
      ...limits,
      host: '127.0.0.1',
      port: Number(new URL(origin).port),
    })
  }

  opened(): void {
    this.heard.push('opened')
  }

  released(): void {
    this.heard.push('released')
  }

  refused(): void {
    this.heard.push('refused')
  }

  closed(): void {
    this.heard.push('closed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close()
  }
}

class Call implements CarriedCall {
  readonly method = 'GET'
  readonly head = 'GET / HTTP/1.1\r\nHost: f\r\n\r\n'
  readonly body = undefined
  readonly bodyLength = 0
  readonly keepsConnection = true
  readonly heard: string[] = []
  whenPiece: () => void = () => {}

  onInformation(): void {}

  onHead(): void {
    this.heard.push('head')
  }

  onPiece(piece: Buffer): boolean {
    this.heard.push(piece.toString())
    this.whenPiece()
    return true
  }

  onEnd(): void {
    this.heard.push('end')
  }

  onBroken(cause: unknown): void {
    this.heard.push(String(cause))
  }
}

async function opened(upstream: RawUpstream): Promise<Owner> {
  const owner = new Owner(upstream.origin)
  await eventually('the connection', () => owner.heard.includes('opened'))
  return owner
}

describe('Connection', () => {
  it('that is paused as its answer ends delivers the next one', async () => {
    await using upstream = await RawUpstream.start()
    await using owner = await opened(upstream)
    const first = new Call()
    first.whenPiece = () => owner.connection.pause()
    owner.connection.carry(first)
    await eventually('the first answer', () => first.heard.includes('end'))

    const second = new Call()
    owner.connection.carry(second)

    await eventually('the second answer', () => second.heard.includes('end'))
    expect(owner.heard).toEqual(['opened', 'released', 'released'])
  })

  it('delivers nothing while it is paused', async () => {
    await using upstream = await RawUpstream.start(
      ({ socket }) => void socket.write(answer('x'.repeat(30)).slice(0, -10)),
    )
    await using owner = await opened(upstream)
    const call = new Call()
    call.whenPiece = () => owner.connection.pause()
    owner.connection.carry(call)
    await eventually('the first piece', () => call.heard.length === 2)

    const [one] = upstream.connections
    await new Promise((resolve) => one?.socket.write('y'.repeat(10), resolve))
    await eventually('the kernel to have the rest', () => one?.socket.writableLength === 0)
    expect(call.heard).toHaveLength(2)
    owner.connection.resume()

    await eventually('the end', () => call.heard.includes('end'))
    expect(call.heard).toEqual(['head', 'x'.repeat(20), 'y'.repeat(10), 'end'])
  })

  it('that is abandoned tells its owner, not its call', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using owner = await opened(upstream)
    const call = new Call()
    owner.connection.carry(call)

    owner.connection.abandon()

    expect([owner.heard, call.heard]).toEqual([['opened', 'closed'], []])
  })

  it('that is closed breaks its call off, once', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using owner = await opened(upstream)
    const call = new Call()
    owner.connection.carry(call)

    owner.connection.close()
    owner.connection.close()
    await eventually('the upstream to notice', () => upstream.open === 0)

    expect(owner.heard).toEqual(['opened', 'closed'])
    expect(call.heard).toEqual(['Error: the gateway closes its connections'])
  })

  it('that is closed while it is opened was refused', async () => {
    await using upstream = await RawUpstream.start()
    await using owner = new Owner(upstream.origin)

    owner.connection.close()

    expect(owner.heard).toEqual(['refused'])
  })
})

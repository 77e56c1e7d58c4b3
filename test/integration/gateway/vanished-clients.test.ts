import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BufferReply, type GatewayRequest, HttpListener, type Reply } from '#core'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'

guardAgainstLeaks()

let listener: HttpListener
let url: string
let answer: (request: GatewayRequest) => Promise<Reply>
let clock: FakeClock

beforeEach(async () => {
  clock = new FakeClock()
  listener = new HttpListener({
    handle: (request) => answer(request),
    readTimeoutMs: 5_000,
    maxHeaderBytes: 65_536,
    maxHeaderLines: 100,
    replayBodyBytes: 1_024,
    onFailure: () => {},
    onError: () => {},
    clock,
  })
  url = `http://127.0.0.1:${await listener.listen('127.0.0.1', 0)}`
})

afterEach(() => listener[Symbol.asyncDispose]())

describe('a refused upgrade', () => {
  const handshake = requestBytes('GET', '/', ['Connection: Upgrade', 'Upgrade: websocket'])

  it('is closed one second after its answer, although its client stays', async () => {
    answer = async () => new BufferReply(503)
    const connected = nextConnection()
    await using client = await RawConnection.open(url)
    await client.send(`${handshake}unread`)
    const served = await connected
    const { status } = await client.response()
    await client.closed()
    const before = [served.destroyed, clock.pending]

    await clock.advance(1_000)
    await eventually('the end', () => served.destroyed)

    expect(status).toBe(503)
    expect(before).toEqual([false, 1])
  })

  it('does not keep a drain waiting for longer, nor leaves a timer behind when its client closes', async () => {
    answer = async () => new BufferReply(503)
    await using stays = await RawConnection.open(url)
    await using closes = await RawConnection.open(url)
    for (const client of [stays, closes]) {
      await client.send(handshake)
      await client.response()
    }
    closes.halfClose()
    await eventually('one timer', () => clock.pending === 1)

    const drained = listener.drain(new AbortController().signal)
    await clock.advance(1_000)
    await drained

    expect(clock.pending).toBe(0)
  })
})

describe('an accepted connection', () => {
  it.runIf(process.platform === 'linux')('is asked by the kernel whether its peer is still there', async () => {
    answer = async () => new BufferReply(200)
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))
    await client.response()

    const { timer, dueMs } = kernelTimer(new URL(url).port, client.socket.localPort)

    expect(timer).toBe('02') // what /proc calls the timer of keep-alive
    expect(dueMs).toBeGreaterThan(20_000)
    expect(dueMs).toBeLessThanOrEqual(30_000)
  })
})

/** Which timer runs for the server's side of a connection, by the kernel's table. */
function kernelTimer(port: string, clientPort = 0): { timer: string; dueMs: number } {
  const hex = (decimal: string | number): string => Number(decimal).toString(16).toUpperCase().padStart(4, '0')
  const ends = `:${hex(port)} [0-9A-F]{8}:${hex(clientPort)}`
  const line = new RegExp(`${ends} 01 \\S+ (\\S\\S):(\\S+)`).exec(readFileSync('/proc/net/tcp', 'latin1'))
  return { timer: line?.[1] ?? 'none', dueMs: Number.parseInt(line?.[2] ?? '0', 16) * 10 }
}

/** Resolves with the listener's side of the next connection that asks for an upgrade. */
function nextConnection(): Promise<Duplex> {
  const { promise, resolve } = Promise.withResolvers<Duplex>()
  const before = answer
  answer = (request) => {
    if (request.upgrade !== undefined) resolve(request.upgrade.socket)
    return before(request)
  }
  return promise
}

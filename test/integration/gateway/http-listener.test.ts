import { Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  BufferReply,
  GatewayError,
  HttpListener,
  StreamReply,
  type GatewayRequest,
  type Reply,
  type ReplyEnd,
} from '#core'
import { UpstreamReply, type UpstreamSource } from '../../../core/http/upstream-reply.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'

guardAgainstLeaks()

let listener: HttpListener
let url: string
let answer: (request: GatewayRequest) => Promise<Reply>
let failures: unknown[]
let errors: unknown[]
let clock: FakeClock

beforeEach(async () => {
  failures = []
  errors = []
  clock = new FakeClock()
  await listen(5000)
})

afterEach(() => listener[Symbol.asyncDispose]())

async function listen(readTimeoutMs: number): Promise<void> {
  listener = new HttpListener({
    handle: (request) => answer(request),
    readTimeoutMs,
    maxHeaderBytes: 64 * 1024,
    maxHeaderLines: 100,
    replayBodyBytes: 1024,
    onFailure: (error) => failures.push(error),
    onError: (error) => errors.push(error),
    clock,
  })
  url = `http://127.0.0.1:${await listener.listen('127.0.0.1', 0)}`
}

/** The server of node:http behind the listener, as a request that it gets shows it. */
async function nodeServer(): Promise<Server> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  answer = async ({ message }) => {
    resolve((message.socket as { server?: unknown }).server) // node's own field, not in its types
    return new BufferReply(200)
  }
  await rawRequest(url, requestBytes('GET', '/', ['Connection: close']))
  const server = await promise
  if (!(server instanceof Server)) throw new Error('node no longer shows the server of a socket')
  return server
}

/** Resolves when the listener has every connection that was opened before: they are accepted in their order. */
async function allAccepted(): Promise<void> {
  await rawRequest(url, requestBytes('GET', '/', ['Connection: close']))
}

const never = new AbortController().signal

const noSource: UpstreamSource = { pause: () => {}, resume: () => {}, abort: () => {} }

function endOf(reply: Reply): { readonly end: ReplyEnd | undefined; readonly bytes: number } {
  const seen: { end: ReplyEnd | undefined; bytes: number } = { end: undefined, bytes: 0 }
  reply.onEnd((end, bytes) => {
    seen.end = end
    seen.bytes = bytes
  })
  return seen
}

describe('HttpListener', () => {
  it('explains a failure that core knows, and tells nobody', async () => {
    answer = () => Promise.reject(new GatewayError('draining', 'the gateway is shutting down'))

    const response = await rawRequest(url, requestBytes('GET', '/'))

    expect(response.status).toBe(503)
    expect(JSON.parse(response.body.toString())).toMatchObject({ code: 'draining' })
    expect(failures).toEqual([])
  })

  it('answers 500 to any other failure, says nothing of it to the client, and tells the log', async () => {
    const error = new Error('secret detail')
    answer = () => Promise.reject(error)

    const response = await rawRequest(url, requestBytes('GET', '/'))

    expect(response.status).toBe(500)
    expect(response.body.toString()).not.toContain('secret')
    expect(failures).toEqual([error])
  })

  it.each([
    ['headers', () => new BufferReply(200, { 'X-Bad': 'line\nbreak' }, 'body')],
    ['status', () => new BufferReply(7, {}, 'body')],
    ['status text', () => new UpstreamReply({ status: 200, statusText: 'line\nbreak', headers: [] }, noSource)],
  ])('answers 500 when a reply cannot be sent because of its %s', async (_, create) => {
    const reply = create()
    const seen = endOf(reply)
    answer = async () => reply

    const response = await rawRequest(url, requestBytes('GET', '/'))

    expect(response.status).toBe(500)
    expect(response.complete).toBe(true)
    expect(failures).toHaveLength(1)
    expect(seen.end).toBe('discarded')
  })

  it('discards the reply to a client that left meanwhile', async () => {
    const reply = new BufferReply(200, {}, 'late')
    const seen = endOf(reply)
    const isGone = Promise.withResolvers<void>()
    answer = async (request) => {
      request.onGone(() => isGone.resolve())
      await isGone.promise
      return reply
    }
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))

    client.abort()

    await eventually('the reply to end', () => seen.end !== undefined)
    expect(seen.end).toBe('discarded')
  })

  it('tells the ends of pipelined answers when the client leaves', async () => {
    const [seen, gone]: [string[], string[]] = [[], []]
    answer = (request) => {
      seen.push(request.target)
      return new Promise(() => request.onGone(() => gone.push(request.target)))
    }
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/first') + requestBytes('GET', '/second'))
    await eventually('both requests', () => seen.length === 2)

    client.abort()

    await eventually('both to be gone', () => gone.length === 2)
    expect(gone).toEqual(['/first', '/second'])
  })

  it('answers pipelined requests in their order', async () => {
    const slow = Promise.withResolvers<void>()
    answer = async (request) => {
      if (request.target === '/first') await slow.promise
      else slow.resolve()
      return new BufferReply(200, {}, request.target)
    }
    await using client = await RawConnection.open(url)

    await client.send(requestBytes('GET', '/first') + requestBytes('GET', '/second'))

    expect((await client.response()).body.toString()).toBe('/first')
    expect((await client.response()).body.toString()).toBe('/second')
  })

  it('tells of a connection that could not be accepted, and serves the next', async () => {
    const server = await nodeServer()
    const error = new Error('accept ENOBUFS')

    server.emit('error', error)

    expect(errors).toEqual([error])
    expect((await rawRequest(url, requestBytes('GET', '/'))).status).toBe(200)
  })

  it('answers 501 to an offer of h2c, and ends, where node cannot ignore the offer', async () => {
    const server: Server & { shouldUpgradeCallback?: () => boolean } = await nodeServer()
    server.shouldUpgradeCallback = () => true // what a node without this callback does
    answer = () => expect.unreachable()
    await using client = await RawConnection.open(url)

    const offer = [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
      'Content-Length: 4',
    ]
    await client.send(`${requestBytes('POST', '/', offer)}body`)
    const response = await client.response()
    const closing = await client.closed()
    client.halfClose()
    await listener.drain(never)

    expect(response.status).toBe(501)
    expect(JSON.parse(response.body.toString())).toMatchObject({ code: 'not_supported' })
    expect(header(response, 'connection')).toBe('close')
    expect(closing).toBe('end')
  })
})

describe('a listener that drains', () => {
  it('closes idle connections, finishes what is under way, and takes no new connection', async () => {
    const held = Promise.withResolvers<void>()
    const isUnderWay = Promise.withResolvers<void>()
    answer = async (request) => {
      if (request.target === '/slow') {
        isUnderWay.resolve()
        await held.promise
      }
      return new BufferReply(200, {}, 'done')
    }
    await using idle = await RawConnection.open(url)
    await idle.send(requestBytes('GET', '/'))
    await idle.response()
    await using busy = await RawConnection.open(url)
    await busy.send(requestBytes('GET', '/slow'))
    await isUnderWay.promise
    let isDrained = false

    const draining = listener.drain(new AbortController().signal).then(() => (isDrained = true))
    await clock.advance(300)
    await idle.closed()
    await expect(RawConnection.open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const drainedEarly = isDrained
    held.resolve()
    const response = await busy.response()
    await draining

    expect(drainedEarly).toBe(false)
    expect(response.body.toString()).toBe('done')
    expect(header(response, 'connection')).toBe('close')
  })

  it('serves a client that had only just connected, and closes those who send nothing for 300 ms', async () => {
    answer = async () => new BufferReply(200, {}, 'served')
    await using fresh = await RawConnection.open(url)
    await using silent = await RawConnection.open(url)
    await allAccepted()

    const draining = listener.drain(never)
    await expect(RawConnection.open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await fresh.send(requestBytes('GET', '/'))
    const response = await fresh.response()
    await clock.advance(299)
    const before = silent.closing
    await clock.advance(1)
    await draining

    expect(response.body.toString()).toBe('served')
    expect(header(response, 'connection')).toBe('close')
    expect(before).toBe('open')
    expect(await silent.closed()).toBe('end')
  })

  it('is done at once when nobody is connected, and leaves no timer', async () => {
    await listener.drain(never)

    expect(clock.pending).toBe(0)
  })

  it('waits for nobody when it is disposed of', async () => {
    answer = async () => new BufferReply(200)
    await using fresh = await RawConnection.open(url)
    await allAccepted()

    await listener[Symbol.asyncDispose]()

    expect(await fresh.closed()).not.toBe('open')
    expect(clock.pending).toBe(0)
  })

  it('is drained for everybody who asks when the last call is answered', async () => {
    const [isUnderWay, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    answer = async () => {
      isUnderWay.resolve()
      await held.promise
      return new BufferReply(200, {}, 'done')
    }
    await using busy = await RawConnection.open(url)
    await busy.send(requestBytes('GET', '/'))
    await isUnderWay.promise
    let drained = 0

    const drains = [1, 2].map(() => listener.drain(never).then(() => (drained += 1)))
    await clock.advance(300)
    const drainedEarly = drained
    held.resolve()
    const response = await busy.response()
    await Promise.all(drains)

    expect(drainedEarly).toBe(0)
    expect(response.body.toString()).toBe('done')
  })

  it('cuts at the earliest deadline of several drains', async () => {
    const isUnderWay = Promise.withResolvers<void>()
    answer = () => {
      isUnderWay.resolve()
      return new Promise(() => {})
    }
    await using busy = await RawConnection.open(url)
    await busy.send(requestBytes('GET', '/'))
    await isUnderWay.promise
    const deadline = new AbortController()

    const drains = [listener.drain(never), listener.drain(deadline.signal)]
    deadline.abort()
    await Promise.all(drains)

    expect(await busy.closed()).not.toBe('open')
  })

  it('holds requests to their time limit while it drains', async () => {
    await listener[Symbol.asyncDispose]()
    await listen(100)
    await using slow = await RawConnection.open(url)
    await slow.send('GET / HTTP/1.1\r\nHo')

    await listener.drain(never)

    expect((await slow.response()).status).toBe(408)
  })

  it('cuts what is left at the deadline', async () => {
    const isUnderWay = Promise.withResolvers<void>()
    answer = () => {
      isUnderWay.resolve()
      return new Promise(() => {})
    }
    await using busy = await RawConnection.open(url)
    await busy.send(requestBytes('GET', '/'))
    await isUnderWay.promise
    const deadline = new AbortController()

    const draining = listener.drain(deadline.signal)
    deadline.abort()
    await draining

    expect(await busy.closed()).not.toBe('open')
  })

  it('finishes a stream, then closes its connection', async () => {
    const more = Promise.withResolvers<void>()
    const body = async function* () {
      yield Buffer.from('one ')
      await more.promise
      yield Buffer.from('two')
    }
    answer = async () => new StreamReply(200, [], body())
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))
    await client.shows('one ')

    const draining = listener.drain(new AbortController().signal)
    more.resolve()
    const response = await client.response()
    await draining

    expect(response.body.toString()).toBe('one two')
    expect(await client.closed()).toBe('end')
  })
})

describe('StreamReply', () => {
  it('sends each piece as it comes', async () => {
    const more = Promise.withResolvers<void>()
    const body = async function* () {
      yield Buffer.from('first')
      await more.promise
      yield Buffer.from('second')
    }
    const reply = new StreamReply(200, ['Content-Type', 'text/plain'], body())
    const seen = endOf(reply)
    answer = async () => reply
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))

    await client.shows('first')
    more.resolve()
    const response = await client.response()

    expect(response.body.toString()).toBe('firstsecond')
    await eventually('the end', () => seen.end !== undefined)
    expect(seen).toEqual({ end: 'complete', bytes: 11 })
  })

  it('cuts the connection when its source breaks off', async () => {
    const body = async function* () {
      yield Buffer.from('half')
      throw new Error('the source is gone')
    }
    const reply = new StreamReply(200, [], body())
    const seen = endOf(reply)
    answer = async () => reply
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))

    const response = await client.response()

    expect(response.complete).toBe(false)
    expect(seen).toEqual({ end: 'truncated', bytes: 4 })
  })

  it('returns its source, and frees what is behind it, when the client leaves', async () => {
    let isReturned = false
    let isFreed = false
    const body = async function* () {
      try {
        for (;;) {
          yield Buffer.alloc(64 * 1024)
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        isReturned = true
      }
    }
    const reply = new StreamReply(200, [], body(), () => (isFreed = true))
    const seen = endOf(reply)
    answer = async () => reply
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))
    await client.begun()

    client.abort()

    await eventually('the source to be returned', () => isReturned && isFreed)
    expect(seen.end).toBe('client_gone')
  })

  it('survives a source that fails when it is returned', async () => {
    let isAsked = false
    const body: AsyncIterableIterator<Uint8Array> = {
      next: () => new Promise(() => {}),
      return: () => {
        isAsked = true
        return Promise.reject(new Error('cannot stop'))
      },
      [Symbol.asyncIterator]: () => body,
    }
    answer = async () => new StreamReply(200, [], body)
    await using client = await RawConnection.open(url)
    await client.send(requestBytes('GET', '/'))
    await client.begun()

    client.abort()

    await eventually('the source to be returned', () => isAsked)
    await new Promise((resolve) => setImmediate(resolve)) // an unhandled rejection would fail the run
  })

  it('takes no more from its source than the client takes from it', async () => {
    let pieces = 0
    const body = async function* () {
      for (;;) {
        pieces += 1
        yield Buffer.alloc(256 * 1024)
      }
    }
    answer = async () => new StreamReply(200, [], body())
    await using client = await RawConnection.open(url)
    client.socket.pause()
    await client.send(requestBytes('GET', '/'))

    await eventually('the first pieces', () => pieces > 1)
    const settled = await eventually('back-pressure', async () => {
      const before = pieces
      await new Promise((resolve) => setTimeout(resolve, 30))
      return pieces === before ? pieces : undefined
    })

    expect(settled).toBeLessThan(100)
  })
})

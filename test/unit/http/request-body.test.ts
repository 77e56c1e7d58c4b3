import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { someRequest } from './some-request.ts'

const posted = (length: number | undefined) => ({
  method: 'POST',
  replayBodyBytes: 10,
  headers: length === undefined ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(length) },
})

/** Opens a body that must be streamed. */
function opened(body: { open(): unknown }): Readable {
  const stream = body.open()
  if (!(stream instanceof Readable)) throw new Error('the body is not streamed')
  return stream
}

async function textOf(stream: Readable): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer) // a byte stream yields Buffers
  return Buffer.concat(pieces).toString()
}

describe('a request without a body', () => {
  it.each([
    ['that says nothing about one', {}],
    ['of length 0', { headers: { 'Content-Length': '0' } }],
  ])('%s opens as undefined and may be repeated', async (_, decided) => {
    const { body } = someRequest(decided).request

    expect(body.length).toBe(0)
    expect(body.open()).toBeUndefined()
    expect(body.replayable).toBe(true)
    expect(await body.bytes(0)).toHaveLength(0)
  })
})

describe('a short request body of known length', () => {
  it('is read whole when it is first asked for, and again for every attempt', async () => {
    const client = someRequest(posted(10))
    const { body } = client.request
    client.send('01234')
    client.send('56789')
    client.end()

    const first = await body.open()
    const second = await body.open()

    expect(first).toEqual(Buffer.from('0123456789'))
    expect(second).toBe(first)
    expect(body.replayable).toBe(true)
  })

  it('is read once when two attempts ask at the same time', async () => {
    const client = someRequest(posted(4))
    const both = [client.request.body.open(), client.request.body.open()]

    client.send('once')
    client.end()

    expect((await Promise.all(both)).map(String)).toEqual(['once', 'once'])
  })

  it('fails with `client_closed` when the client leaves inside it', async () => {
    const client = someRequest(posted(4))
    const reading = client.request.body.open()
    client.send('ha')

    client.leave()

    await expect(reading).rejects.toMatchObject({ code: 'client_closed' })
  })

  it('fails with `client_closed` when the client left before it was asked for', async () => {
    const client = someRequest(posted(4))
    client.send('half')
    client.leave()
    await new Promise((resolve) => client.message.once('close', resolve))

    await expect(client.request.body.open()).rejects.toMatchObject({ code: 'client_closed' })
  })
})

describe('a request body that is longer, or of unknown length', () => {
  it.each([
    ['longer', 11],
    ['of unknown length', undefined],
  ])('is streamed when it is %s', async (_, length) => {
    const client = someRequest(posted(length))
    const stream = opened(client.request.body)
    const text = textOf(stream)

    client.send('hello ')
    client.send('world')
    client.end()

    expect(await text).toBe('hello world')
    expect(client.request.body.length).toBe(length)
  })

  it('may be sent by another attempt as long as nobody read from it', () => {
    const { body } = someRequest(posted(undefined)).request
    opened(body).destroy()

    expect(body.replayable).toBe(true)
  })

  it('may not be sent again after the first read', () => {
    const { body } = someRequest(posted(undefined)).request

    opened(body).read()

    expect(body.replayable).toBe(false)
  })

  it('is not taken from the client faster than it is read', async () => {
    const client = someRequest(posted(undefined))
    const stream = opened(client.request.body)
    stream.read(0)
    const piece = Buffer.alloc(16 * 1024)
    for (let i = 0; i < 20; i += 1) client.send(piece)
    await new Promise((resolve) => setImmediate(resolve))

    expect(client.message.isPaused()).toBe(true)
    expect(stream.readableLength).toBeLessThan(150 * 1024)
  })

  it('breaks off with `client_closed` when the client leaves', async () => {
    const client = someRequest(posted(undefined))
    const text = textOf(opened(client.request.body))
    client.send('half')

    client.leave()

    await expect(text).rejects.toMatchObject({ code: 'client_closed' })
  })

  it('leaves the connection alone when an attempt gives it up, and what still comes is thrown away', async () => {
    const client = someRequest(posted(undefined))
    const stream = opened(client.request.body)
    stream.read(0)
    for (let i = 0; i < 20; i += 1) client.send(Buffer.alloc(16 * 1024))
    await new Promise((resolve) => setImmediate(resolve))
    const wasPaused = client.message.isPaused()

    stream.destroy()
    client.end()
    await new Promise((resolve) => client.message.once('end', resolve))

    expect(wasPaused).toBe(true)
    expect(client.request.gone).toBe(false)
  })
})

describe('a client that waits for 100 Continue', () => {
  const expecting = { ...posted(4), expectsContinue: true }

  it('is not told to go on before the body is asked for', () => {
    expect(someRequest(expecting).continues).toBe(0)
  })

  it('is told once when a kept body is first asked for', async () => {
    const client = someRequest(expecting)
    const reading = client.request.body.open()
    client.send('body')
    client.end()
    await reading

    void client.request.body.open()

    expect(client.continues).toBe(1)
  })

  it('is told once when a streamed body is first read from, not when it is opened', () => {
    const client = someRequest({ ...posted(undefined), expectsContinue: true })
    const stream = opened(client.request.body)
    const whenOpened = client.continues

    stream.read()
    opened(client.request.body).read()

    expect(whenOpened).toBe(0)
    expect(client.continues).toBe(1)
  })
})

describe('RequestBody.bytes', () => {
  it('refuses a declared length beyond the limit without reading', async () => {
    const client = someRequest({ ...posted(4), expectsContinue: true })

    await expect(client.request.body.bytes(3)).rejects.toMatchObject({ code: 'body_too_large' })
    expect(client.continues).toBe(0)
  })

  it('refuses a body of unknown length as soon as it is beyond the limit', async () => {
    const client = someRequest(posted(undefined))
    const reading = client.request.body.bytes(3)

    client.send('four')

    await expect(reading).rejects.toMatchObject({ code: 'body_too_large' })
  })

  it('gives a body of exactly the limit', async () => {
    const client = someRequest(posted(undefined))
    const reading = client.request.body.bytes(4)

    client.send('fo')
    client.send('ur')
    client.end()

    expect((await reading).toString()).toBe('four')
  })
})

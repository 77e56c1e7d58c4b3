import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { H1Gateway } from './h1-gateway.ts'
import { type Answerer, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

const bodyBytes = 8 * 1024 * 1024

/** Bytes that tell where they belong: no part of them repeats within the body, nor in the body of another seed. */
function patterned(seed: number): Buffer {
  const words = new Uint32Array(bodyBytes / 4)
  for (let i = 0; i < words.length; i += 1) words[i] = Math.imul(i, 2_654_435_761) ^ (seed << 28)
  return Buffer.from(words.buffer)
}

const bodies = [patterned(1), patterned(2), patterned(3)]

/** Answers with the body whose number is the path. */
function sending(write: (body: Buffer) => readonly (string | Buffer)[]): Answerer {
  return ({ socket, heads }) => {
    const body = bodies[Number(/^GET \/(\d)/.exec(heads.at(-1) ?? '')?.[1])] ?? Buffer.alloc(0)
    for (const piece of write(body)) socket.write(piece)
  }
}

function inChunks(body: Buffer, size: number): readonly (string | Buffer)[] {
  const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, i) =>
    body.subarray(i * size, (i + 1) * size),
  )
  const framed = chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n'])
  return ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', ...framed, '0\r\n\r\n']
}

describe('a large answer', () => {
  it.each([
    {
      how: 'with a length',
      by: sending((body) => [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body]),
    },
    { how: 'in large chunks', by: sending((body) => inChunks(body, 300_000)) },
    { how: 'in middling chunks', by: sending((body) => inChunks(body, 20_000)) },
    { how: 'in small chunks', by: sending((body) => inChunks(body, 1_000)) },
  ])('$how reaches fast and slow clients as it is, again and again', async ({ by }) => {
    await using upstream = await RawUpstream.start(by)
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], timeoutMs: 30_000 })

    for (let round = 0; round < 2; round += 1) {
      const taken = await Promise.all([0, 1, 2].map((nth) => takenBy(gateway, nth, nth > 0)))

      taken.forEach((body, nth) => expect(body.equals(bodies[nth] ?? Buffer.alloc(0)), `body ${nth}`).toBe(true))
    }
    expect(upstream.connections.length).toBeLessThanOrEqual(3)
  })
})

it('a large answer that nobody takes yet waits at its upstream, and comes whole', async () => {
  const held = Promise.withResolvers<void>()
  await using upstream = await RawUpstream.start(
    sending((body) => [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body]),
  )
  await using gateway = await H1Gateway.start({ origins: [upstream.origin], heldReplies: held.promise })
  await using client = await gateway.open()
  await client.send(requestBytes('GET', '/1'))
  await eventually('the answer to begin', () => (upstream.connections[0]?.socket.bytesWritten ?? 0) > 0)
  const waiting = upstream.connections[0]?.socket.writableLength

  held.resolve()

  expect((await client.response()).body.equals(bodies[1] ?? Buffer.alloc(0))).toBe(true)
  expect(waiting).toBeGreaterThan(0)
})

/** The body that a client got, who took nothing before much had come. */
async function takenBy(gateway: H1Gateway, nth: number, isSlow: boolean): Promise<Buffer> {
  await using client = await gateway.open()
  if (isSlow) client.socket.pause()
  await client.send(requestBytes('GET', `/${nth}`))
  if (isSlow) await eventually('the answer to stand still', () => client.socket.bytesRead === 0 && gateway.calls > nth)
  for (let pauses = isSlow ? 20 : 0; pauses > 0; pauses -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    client.socket.resume()
    await new Promise((resolve) => client.socket.once('data', resolve))
    client.socket.pause()
  }
  client.socket.resume()
  return (await client.response()).body
}

import { describe, expect, it } from 'vitest'
import { BufferReply, Reply, StreamReply, type ReplyEnd } from '#core'

class UnreadableReply extends Reply {
  override sendTo(): void {}

  override discard(): void {
    this.finish('discarded', 0)
  }
}

function endOf(reply: Reply): () => ReplyEnd | undefined {
  let seen: ReplyEnd | undefined
  reply.onEnd((end) => (seen = end))
  return () => seen
}

function stream(pieces: readonly string[], onFreed = (): void => {}): StreamReply {
  const body = async function* () {
    for (const piece of pieces) yield Buffer.from(piece)
  }
  return new StreamReply(200, [], body(), onFreed)
}

describe('Reply.bytes', () => {
  it.each([
    ['a buffer', () => new BufferReply(200, {}, 'whole body')],
    ['a stream', () => stream(['whole', ' ', 'body'])],
  ])('gives the whole body of %s and ends the reply as discarded', async (_, create) => {
    const reply = create()
    const end = endOf(reply)

    const bytes = await reply.bytes(10)

    expect(Buffer.from(bytes).toString()).toBe('whole body')
    expect(end()).toBe('discarded')
  })

  it.each([
    ['a buffer', () => new BufferReply(200, {}, 'whole body')],
    ['a stream', () => stream(['whole', ' ', 'body'])],
  ])('refuses a body of %s that is too long, and ends the reply', async (_, create) => {
    const reply = create()
    const end = endOf(reply)

    await expect(reply.bytes(9)).rejects.toMatchObject({ code: 'upstream_failed' })
    expect(end()).toBe('discarded')
  })

  it('reads no further than the limit of a stream without end', async () => {
    let pieces = 0
    const endless = async function* () {
      for (;;) {
        pieces += 1
        yield Buffer.alloc(10)
      }
    }

    await expect(new StreamReply(200, [], endless()).bytes(100)).rejects.toThrow('longer than 100 bytes')
    expect(pieces).toBe(11)
  })

  it('frees the source of a stream', async () => {
    let isFreed = false

    await stream(['x'], () => (isFreed = true)).bytes(10)

    expect(isFreed).toBe(true)
  })

  it('says that a reply of another kind cannot be read, and frees it', async () => {
    const reply = new UnreadableReply(200, '', [])
    const end = endOf(reply)

    await expect(reply.bytes(10)).rejects.toMatchObject({ code: 'not_supported' })
    expect(end()).toBe('discarded')
  })
})

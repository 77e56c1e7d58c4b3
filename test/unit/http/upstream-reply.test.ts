import { describe, expect, it } from 'vitest'
import type { ReplyEnd } from '#core'
import { UpstreamReply, type UpstreamSource } from '../../../core/http/upstream-reply.ts'

class FakeSource implements UpstreamSource {
  readonly asked: string[] = []

  pause(): void {
    this.asked.push('pause')
  }

  resume(): void {
    this.asked.push('resume')
  }

  abort(): void {
    this.asked.push('abort')
  }
}

function someReply() {
  const source = new FakeSource()
  const reply = new UpstreamReply({ status: 200, statusText: 'OK', headers: [] }, source)
  const ends: (readonly [ReplyEnd, number])[] = []
  reply.onEnd((end, bytes) => ends.push([end, bytes]))
  return { source, reply, ends }
}

describe('an answer of an upstream that nobody sends yet', () => {
  it('makes the upstream wait once 64 KiB have come', () => {
    const { source, reply } = someReply()

    reply.push(Buffer.alloc(64 * 1024))
    const before = [...source.asked]
    reply.push(Buffer.alloc(1))

    expect(before).toEqual([])
    expect(source.asked).toEqual(['pause'])
  })

  it('cancels the upstream and ends as discarded when it is given up', () => {
    const { source, reply, ends } = someReply()
    reply.push(Buffer.from('half'))

    reply.discard()
    reply.discard()
    reply.push(Buffer.from('more'))
    reply.complete(undefined)
    reply.fail()

    expect(source.asked).toEqual(['abort'])
    expect(ends).toEqual([['discarded', 0]])
  })

  it('cancels nothing when the upstream has finished', () => {
    const { source, reply, ends } = someReply()
    reply.complete(undefined)

    reply.discard()

    expect(source.asked).toEqual([])
    expect(ends).toEqual([['discarded', 0]])
  })

  it('tells every listener of its end although one throws', () => {
    const { reply } = someReply()
    const heard: string[] = []
    reply.onEnd(() => heard.push('first'))
    reply.onEnd(() => {
      throw new Error('a bug in a plugin')
    })
    reply.onEnd(() => heard.push('last'))

    expect(() => reply.discard()).not.toThrow()
    expect(heard).toEqual(['first', 'last'])
  })

  it('tells every listener of its end, once', () => {
    const { reply } = someReply()
    const heard: string[] = []
    for (const name of ['one', 'two', 'three']) reply.onEnd((end) => heard.push(`${name} ${end}`))

    reply.discard()

    expect(heard).toEqual(['one discarded', 'two discarded', 'three discarded'])
  })
})

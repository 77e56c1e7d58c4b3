import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { BodySender } from '../../../core/http1/body-sender.ts'

/** A socket that keeps what is written to it, and takes `capacity` pieces before it wants a pause. */
class FakeSocket extends Socket {
  written = ''
  capacity = 1_000

  override write(piece: string | Uint8Array): boolean {
    this.written += typeof piece === 'string' ? piece : Buffer.from(piece).toString('latin1')
    this.capacity -= 1
    return this.capacity > 0
  }
}

function sending(length: number | undefined) {
  const socket = new FakeSocket()
  const stream = new Readable({ read: () => {} })
  const failures: unknown[] = []
  const sender = new BodySender(socket, { stream, length }, (cause) => failures.push(cause))
  sender.start()
  return { socket, stream, sender, failures }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('BodySender', () => {
  it('sends a body of known length as it is', async () => {
    const { socket, stream, sender, failures } = sending(5)

    stream.push('hel')
    stream.push('lo')
    stream.push(null)
    await settled()

    expect([socket.written, sender.done, failures]).toEqual(['hello', true, []])
  })

  it('frames a body of unknown length in chunks', async () => {
    const { socket, stream, sender, failures } = sending(undefined)

    stream.push('x'.repeat(20))
    stream.push('y')
    await settled()
    const before = sender.done
    stream.push(null)
    await settled()

    expect(socket.written).toBe(`14\r\n${'x'.repeat(20)}\r\n1\r\ny\r\n0\r\n\r\n`)
    expect([before, sender.done, failures]).toEqual([false, true, []])
  })

  it('fails before it sends more than was announced', async () => {
    const { socket, stream, sender, failures } = sending(3)

    stream.push('abc')
    stream.push('d')
    await settled()

    expect(socket.written).toBe('abc')
    expect([sender.done, failures.length, stream.destroyed]).toEqual([false, 1, true])
  })

  it('fails when less came than was announced', async () => {
    const { stream, sender, failures } = sending(3)

    stream.push('ab')
    stream.push(null)
    await settled()

    expect([sender.done, failures.length]).toEqual([false, 1])
  })

  it.each([
    ['breaks off', new Error('client left')],
    ['is closed', undefined],
  ])('fails, once, when the body %s, and never sends the end of it', async (_, cause) => {
    const { socket, stream, sender, failures } = sending(undefined)

    stream.push('a')
    await settled()
    stream.destroy(cause)
    await settled()

    expect(socket.written).toBe('1\r\na\r\n')
    expect([sender.done, failures.length]).toEqual([false, 1])
    if (cause !== undefined) expect(failures).toEqual([cause])
  })

  it('reads no more while the socket takes no more', async () => {
    const { socket, stream, sender } = sending(6)
    socket.capacity = 1

    stream.push('abc')
    await settled()
    stream.push('def')
    await settled()
    const before = socket.written
    sender.resume()
    await settled()

    expect([before, socket.written]).toEqual(['abc', 'abcdef'])
  })

  it('sends nothing more once it is stopped, and tells nobody', async () => {
    const { socket, stream, sender, failures } = sending(undefined)
    stream.push('a')
    await settled()

    sender.stop()
    sender.resume()
    await settled()

    expect([socket.written, stream.destroyed, failures]).toEqual(['1\r\na\r\n', true, []])
  })
})

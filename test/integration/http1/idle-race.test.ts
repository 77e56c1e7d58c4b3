import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { useFunctionPath } from '../../contract/function-path/function-path.ts'
import { requestBytes } from '../../support/raw-http.ts'

const clients = 20
const callsEach = 100

describe('an upstream that closes idle connections just as they are used again', () => {
  const path = useFunctionPath('h1')

  it.each([
    ['by a close', (socket: Socket) => socket.end()],
    ['by a reset', (socket: Socket) => socket.resetAndDestroy()],
    ['by a close that is a reset where a request is unread', (socket: Socket) => socket.destroy()],
  ])('costs no GET its answer, %s', async (_, close) => {
    const underWay = new WeakMap<Socket, number>()
    let closed = 0
    path().serve((request, response) => {
      const { socket } = request
      const nth = (underWay.get(socket) ?? 0) + 1
      underWay.set(socket, nth)
      response.end('hello')
      response.once('finish', () => {
        if (nth % 3 !== 0) return
        // Long enough for the gateway to use the connection again, short enough to meet it doing so.
        setTimeout(() => {
          if (underWay.get(socket) !== nth) return
          closed += 1
          close(socket)
        }, Math.random() * 2)
      })
    })

    const statuses = await Promise.all(Array.from({ length: clients }, () => statusesOf(callsEach)))

    expect(statuses.flat().filter((status) => status !== 200)).toEqual([])
    expect(closed).toBeGreaterThan(clients)
  })

  /** Calls in a row on one connection, with pauses that let the gateway's connections become idle. */
  async function statusesOf(count: number): Promise<number[]> {
    await using client = await path().open()
    const statuses: number[] = []
    for (let i = 0; i < count; i += 1) {
      await client.send(requestBytes('GET', '/function/echo'))
      statuses.push((await client.response()).status)
    }
    return statuses
  }
})

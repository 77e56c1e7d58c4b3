import { describe, expect, it } from 'vitest'
import { BufferReply, GatewayError, type Middleware } from '#core'
import { compose } from '../../../core/pipeline/stages.ts'
import { someExchange } from './some-exchange.ts'

describe('compose', () => {
  it('nests the layers around the forward, the first outermost', async () => {
    const order: string[] = []
    const layer =
      (name: string): Middleware =>
      async (exchange, next) => {
        order.push(`${name} in`)
        const reply = await next(exchange)
        order.push(`${name} out`)
        return reply
      }
    const handle = compose([layer('1 outer'), layer('2 inner')], async () => {
      order.push('3 forward')
      return new BufferReply(200)
    })

    await handle(someExchange().exchange)

    expect(order).toEqual(['1 outer in', '2 inner in', '3 forward', '2 inner out', '1 outer out'])
  })

  it('is the forward alone without layers', async () => {
    const reply = new BufferReply(204)

    expect(await compose([], async () => reply)(someExchange().exchange)).toBe(reply)
  })

  it('lets a layer answer by itself, call the next one twice, and hand a copy on', async () => {
    const upstreams: (string | undefined)[] = []
    const retry: Middleware = async (exchange, next) => {
      const first = await next(exchange)
      return first.status === 503
        ? next(exchange.placedOn({ origin: 'http://b', basePath: '', kind: 'instance' }))
        : first
    }
    const cached: Middleware = async (exchange, next) =>
      exchange.request.method === 'OPTIONS' ? new BufferReply(204) : next(exchange)
    const handle = compose([cached, retry], async ({ upstream }) => {
      upstreams.push(upstream?.origin)
      return new BufferReply(upstream === undefined ? 503 : 200)
    })

    const [direct, retried] = [
      await handle(someExchange({ method: 'OPTIONS' }).exchange),
      await handle(someExchange().exchange),
    ]

    expect([direct.status, retried.status]).toEqual([204, 200])
    expect(upstreams).toEqual([undefined, 'http://b'])
  })

  it('lets an outer layer see what an inner one throws, even from a function that is not async', async () => {
    const seen: unknown[] = []
    const outer: Middleware = async (exchange, next) => {
      try {
        return await next(exchange)
      } catch (error) {
        seen.push(error)
        throw error
      }
    }
    const error = new GatewayError('rate_limited', 'slow down')
    const inner: Middleware = () => {
      throw error
    }

    await expect(compose([outer, inner], async () => new BufferReply(200))(someExchange().exchange)).rejects.toBe(error)
    expect(seen).toEqual([error])
  })
})

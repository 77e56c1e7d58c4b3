import { describe, expect, it } from 'vitest'
import { contextKey } from '#core'
import { someExchange } from './some-exchange.ts'

const instance = { origin: 'http://10.0.0.1:8080', basePath: '', kind: 'instance' } as const

describe('Exchange', () => {
  it('gives the fallback of a slot that nobody filled, then what was put there', () => {
    const { exchange } = someExchange()
    const user = contextKey('user', 'nobody')

    const before = exchange.get(user)
    exchange.set(user, 'somebody')

    expect([before, exchange.get(user)]).toEqual(['nobody', 'somebody'])
  })

  it('tells slots of one name apart', () => {
    const { exchange } = someExchange()
    const [one, other] = [contextKey('x', 0), contextKey('x', 0)]

    exchange.set(one, 1)

    expect(exchange.get(other)).toBe(0)
  })

  it.each([false, 0, '', null])('keeps %s, which is not the same as nothing', (value) => {
    const { exchange } = someExchange()
    const key = contextKey<unknown>('x', 'fallback')

    exchange.set(key, value)

    expect(exchange.get(key)).toBe(value)
  })

  it('makes a copy for one attempt that shares everything but its upstream, both ways', () => {
    const { exchange } = someExchange()
    const [before, after] = [contextKey('before', 0), contextKey('after', 0)]
    exchange.set(before, 1)

    const copy = exchange.placedOn(instance)
    copy.set(after, 2)
    copy.times.forwardedMs = 7

    expect(copy.upstream).toBe(instance)
    expect(exchange.upstream).toBeUndefined()
    expect([copy.id, copy.request, copy.route, copy.startTime]).toEqual([
      exchange.id,
      exchange.request,
      exchange.route,
      exchange.startTime,
    ])
    expect([copy.get(before), exchange.get(after), exchange.times.forwardedMs]).toEqual([1, 2, 7])
  })

  it('shares slots with a copy that was made before any was filled', () => {
    const { exchange } = someExchange()
    const key = contextKey('x', 0)
    const copy = exchange.placedOn(instance)

    exchange.set(key, 1)

    expect(copy.get(key)).toBe(1)
  })

  it('aborts its signal when the client leaves', () => {
    const { exchange, client } = someExchange()
    const { signal } = exchange

    client.leave()

    expect(signal.reason).toMatchObject({ code: 'client_closed' })
  })
})

import { describe, expect, it } from 'vitest'
import { GatewayError, type FunctionIdentity, type FunctionStatus, type ServiceQuery } from '#core'
import { decodeAlerts, type Alert } from '../../../../plugins/alert-scaler/alert.ts'
import { AlertScaler } from '../../../../plugins/alert-scaler/alert-scaler.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'

/** Functions in memory, whose status calls wait until they are let go on. */
class CountedQuery implements ServiceQuery {
  readonly replicas = new Map<string, number>()
  running = 0
  most = 0

  async status({ name, key }: FunctionIdentity, signal?: AbortSignal): Promise<FunctionStatus | undefined> {
    this.running += 1
    this.most = Math.max(this.most, this.running)
    await new Promise((resolve) => setImmediate(resolve))
    this.running -= 1
    signal?.throwIfAborted()
    return { name, replicas: this.replicas.get(key) ?? 1 }
  }

  async scale({ name, key }: FunctionIdentity, replicas: number): Promise<void> {
    if (name === 'broken') throw new GatewayError('no_ready_replica', 'refused')
    if (name === 'bug') throw new TypeError('secret detail')
    this.replicas.set(key, replicas)
  }
}

function firing(...names: readonly string[]): readonly Alert[] {
  const alerts = names.map((name) => ({ status: 'firing', labels: { function_name: name } }))
  return decodeAlerts(JSON.stringify({ alerts }), 'fn') ?? []
}

describe('AlertScaler', () => {
  it('works on no more functions at a time than allowed', async () => {
    const query = new CountedQuery()
    const scaler = new AlertScaler({ query, log: new FakeLogger(), maxParallel: 4 })

    const failures = await scaler.scaleAll(
      firing(...Array.from({ length: 50 }, (_, i) => `f${i}`)),
      new AbortController().signal,
    )

    expect(failures).toEqual([])
    expect(query.most).toBe(4)
    expect(query.replicas.size).toBe(50)
  })

  it('adds up alerts about one function', async () => {
    const query = new CountedQuery()
    const scaler = new AlertScaler({ query, log: new FakeLogger(), maxParallel: 4 })

    await scaler.scaleAll(firing('a', 'a.fn', 'a'), new AbortController().signal)

    expect(query.replicas.get('a.fn')).toBe(4)
  })

  it('reports failures in the order of the alerts, without details of a bug', async () => {
    const scaler = new AlertScaler({ query: new CountedQuery(), log: new FakeLogger(), maxParallel: 4 })

    const failures = await scaler.scaleAll(firing('bug', 'a', 'broken'), new AbortController().signal)

    expect(failures).toEqual(['[0] unexpected failure', '[2] refused'])
  })

  it('stops when the sender leaves', async () => {
    const query = new CountedQuery()
    const scaler = new AlertScaler({ query, log: new FakeLogger(), maxParallel: 1 })
    const sender = new AbortController()

    const work = scaler.scaleAll(firing('a', 'b', 'c'), sender.signal)
    sender.abort(new Error('left'))

    await expect(work).rejects.toThrow('left')
    expect(query.replicas.size).toBe(0)
  })
})

describe('decodeAlerts', () => {
  it.each([
    ['echo', 'echo.fn'],
    ['echo.dev', 'echo.dev'],
    ['a.b.dev', 'a.b.dev'],
    ['echo.', 'echo.fn'],
    ['.dev', undefined],
    ['', undefined],
  ])('reads the function name %j as %s', (name, key) => {
    expect(firing(name)[0]?.target?.key).toBe(key)
  })
})

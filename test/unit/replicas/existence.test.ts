import { describe, expect, it } from 'vitest'
import { functionIdentity, GatewayError, type FunctionIdentity, type FunctionStatus, type ServiceQuery } from '#core'
import { MemoryCoordinator } from '../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../core/replicas/local-replica-directory.ts'
import { Existence } from '../../../core/replicas/existence.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

const maxChecks = 3

/** A provider whose answers wait until a test gives them. */
class AskedProvider implements ServiceQuery {
  readonly asked: string[] = []
  #answer = Promise.withResolvers<FunctionStatus | undefined>()

  status({ key }: FunctionIdentity): Promise<FunctionStatus | undefined> {
    this.asked.push(key)
    return this.#answer.promise
  }

  scale(): never {
    throw new Error('nobody scales here')
  }

  /** Answers all questions so far, and leaves later ones waiting. */
  answer(answer: FunctionStatus | undefined | Error): void {
    const { resolve, reject } = this.#answer
    this.#answer = Promise.withResolvers()
    if (answer instanceof Error) reject(answer)
    else resolve(answer)
  }
}

function setUp() {
  const clock = new FakeClock()
  const query = new AskedProvider()
  const replicas = new LocalReplicaDirectory({ clock })
  const shared = new MemoryCoordinator({ clock, directory: replicas })
  const existence = new Existence({ query, replicas, shared, clock, log: new FakeLogger(), maxChecks })
  return { clock, query, replicas, shared, existence }
}

const echo = functionIdentity('echo', 'fn')
const status = { name: 'echo', namespace: 'fn', replicas: 1, labels: { 'com.openfaas.scale.max': '9' } }

describe('Existence', () => {
  it('asks nobody about a function that is known', async () => {
    const { query, shared, existence } = setUp()
    await shared.announceReady(echo)

    expect(await existence.confirm(echo)).toBe(true)
    expect(query.asked).toEqual([])
  })

  it('asks once for all who want to know at the same time, and has the directory know it then', async () => {
    const { query, replicas, existence } = setUp()

    const answers = Promise.all([existence.confirm(echo), existence.confirm(echo), existence.confirm(echo)])
    query.answer(status)

    expect(await answers).toEqual([true, true, true])
    expect(query.asked).toEqual(['echo.fn'])
    expect(replicas.get('echo.fn')).toMatchObject({ phase: 'waking', max: 9 })
  })

  it('asks again about a name that the provider did not know, and keeps nothing of it', async () => {
    const { query, replicas, existence } = setUp()

    const first = existence.confirm(echo)
    query.answer(undefined)
    expect(await first).toBe(false)
    expect([replicas.get('echo.fn'), replicas.knows('echo.fn')]).toEqual([undefined, false])

    const second = existence.confirm(echo)
    query.answer(status)
    expect(await second).toBe(true)
  })

  it('asks about a limited number of names at a time', async () => {
    const { query, existence } = setUp()
    const first = Array.from({ length: maxChecks }, (_, i) => existence.confirm(functionIdentity(`f${i}`, 'fn')))

    await expect(existence.confirm(echo)).rejects.toMatchObject({ code: 'overloaded' })
    query.answer(undefined)
    await Promise.all(first)
    const later = existence.confirm(echo)
    query.answer(status)

    expect(await later).toBe(true)
  })

  it('passes on why the provider cannot say, and asks it anew', async () => {
    const { query, existence } = setUp()
    const first = existence.confirm(echo)
    query.answer(new GatewayError('provider_unavailable', 'away'))
    await expect(first).rejects.toMatchObject({ code: 'provider_unavailable' })

    const second = existence.confirm(echo)
    query.answer(status)

    expect(await second).toBe(true)
  })

  it('lets stand what was learnt while the provider was asked', async () => {
    const { query, replicas, shared, existence } = setUp()

    // 1: the provider is asked
    const confirmed = existence.confirm(echo)
    // 2: a wake ends
    await shared.announceReady(echo, 2)
    // 3: the answer says less
    query.answer({ ...status, replicas: 0 })

    expect(await confirmed).toBe(true)
    expect(replicas.get('echo.fn')).toMatchObject({ phase: 'ready', available: 2 })
  })
})

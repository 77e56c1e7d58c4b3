import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { functionIdentity, nothingKnown } from '#core'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FedGateway, intervalMs } from './fed-gateway.ts'
import { echo, ListedFunctions } from './listed-functions.ts'

describe('DirectoryFeed', () => {
  let clock: FakeClock
  let api: ListedFunctions
  let gateway: FedGateway

  beforeEach(() => {
    clock = new FakeClock()
    api = new ListedFunctions()
    gateway = new FedGateway({ api, clock })
  })

  afterEach(async () => {
    await gateway[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  it('fills the directory before the start is over', async () => {
    api.functions = { fn: [echo, { ...echo, name: 'cold', replicas: 0, availableReplicas: 0 }] }

    await gateway.start()

    expect([gateway.phaseOf('echo.fn'), gateway.phaseOf('cold.fn')]).toEqual(['ready', 'zero'])
  })

  it('lists every namespace, each once', async () => {
    api.namespaces = ['fn', 'dev', 'fn']
    api.functions = { fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }

    await gateway.start()

    expect(api.asked).toEqual(['fn', 'dev'])
    expect([gateway.phaseOf('echo.fn'), gateway.phaseOf('echo.dev')]).toEqual(['ready', 'ready'])
  })

  it.each([
    { when: 'there are none', namespaces: [] },
    { when: 'they cannot be listed', namespaces: new Error('500') },
  ])('lists the default namespace when $when', async ({ namespaces }) => {
    api.namespaces = namespaces

    await gateway.start()

    expect(api.asked).toEqual(['fn'])
    expect(gateway.log.messages('warn')).toEqual([])
  })

  it('knows functions by their bare names when there is no default namespace', async () => {
    await using bare = new FedGateway({ api, clock, defaultNamespace: '' })
    api.namespaces = []
    api.functions = { '': [echo] }

    await bare.start()

    expect(bare.known).toEqual(['echo'])
  })

  it('knows functions of an unnamed default namespace once, and others by their namespace', async () => {
    await using bare = new FedGateway({ api, clock, defaultNamespace: '' })
    api.namespaces = ['fn', 'dev']
    api.functions = { '': [echo], fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }

    await bare.start()

    expect(bare.known).toEqual(['echo', 'echo.dev'])
  })

  it('knows a function once again after the default namespace could not be listed', async () => {
    await using bare = new FedGateway({ api, clock, defaultNamespace: '' })
    api.namespaces = ['fn']
    api.functions = { '': new Error('500'), fn: [echo] }
    await bare.start()

    api.functions = { '': [echo], fn: [echo] }
    await clock.advance(intervalMs)

    expect(bare.known).toEqual(['echo'])
  })

  it('follows changes at its interval', async () => {
    await gateway.start()
    api.functions = { fn: [echo] }

    await clock.advance(intervalMs - 1)
    expect(gateway.phaseOf('echo.fn')).toBeUndefined()
    await clock.advance(1)
    expect(gateway.phaseOf('echo.fn')).toBe('ready')
  })

  it('forgets functions that are gone, and those of namespaces that are gone', async () => {
    api.namespaces = ['fn', 'dev']
    api.functions = { fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }
    await gateway.start()

    api.namespaces = ['fn']
    api.functions = { fn: [] }
    await clock.advance(intervalMs)

    expect(gateway.known).toEqual([])
  })

  it('changes nothing when a listing fails, and says so once until it works again', async () => {
    api.functions = { fn: [echo] }
    await gateway.start()

    api.functions = { fn: new Error('refused') }
    await clock.advance(3 * intervalMs)
    expect(gateway.phaseOf('echo.fn')).toBe('ready')
    expect(gateway.log.messages('warn')).toHaveLength(1)

    api.functions = { fn: [echo] }
    await clock.advance(2 * intervalMs)
    expect(gateway.log.messages('info')).toHaveLength(1)
  })

  it('keeps functions of other namespaces in step when one namespace fails', async () => {
    api.namespaces = ['bad', 'fn']
    api.functions = { bad: new Error('forbidden'), fn: [echo] }

    await gateway.start()

    expect(gateway.phaseOf('echo.fn')).toBe('ready')
  })

  it('lets the start go on after its time when the provider hangs, and works once it answers', async () => {
    const opened = Promise.withResolvers<void>()
    api.gate = opened.promise
    api.functions = { fn: [echo] }
    const starting = gateway.start()

    await clock.advance(1_000)
    await starting
    expect(gateway.phaseOf('echo.fn')).toBeUndefined()

    opened.resolve()
    await clock.advance(0)
    expect(gateway.phaseOf('echo.fn')).toBe('ready')
  })

  it('does not take over a listing that was asked for before a wake', async () => {
    const opened = Promise.withResolvers<void>()
    api.functions = { fn: [{ ...echo, replicas: 0, availableReplicas: 0 }] }
    await gateway.start()
    const zero = gateway.replicas.get('echo.fn')
    if (zero === undefined) throw new Error('echo is not listed')

    // 1: the listing is asked for
    api.gate = opened.promise
    await clock.advance(intervalMs)
    // 2: a wake makes the function ready
    await clock.advance(10)
    gateway.replicas.apply({ ...zero, phase: 'ready', desired: 1, available: 1, observedAtMs: clock.nowMs() })
    // 3: the listing arrives
    opened.resolve()
    await clock.advance(0)

    expect(gateway.phaseOf('echo.fn')).toBe('ready')
  })

  it('does not forget a function that was woken while a listing without it was under way', async () => {
    const opened = Promise.withResolvers<void>()
    await gateway.start()
    api.gate = opened.promise
    await clock.advance(intervalMs)
    await clock.advance(10)
    const identity = functionIdentity('new', 'fn')
    gateway.replicas.apply({ ...nothingKnown(identity), phase: 'ready', observedAtMs: clock.nowMs() })

    opened.resolve()
    await clock.advance(0)

    expect(gateway.phaseOf('new.fn')).toBe('ready')
  })

  it('ends a failure when another image is deployed', async () => {
    api.functions = { fn: [{ ...echo, availableReplicas: 0 }] }
    await gateway.start()
    const waking = gateway.replicas.get('echo.fn')
    if (waking === undefined) throw new Error('echo is not listed')
    const retryAtMs = clock.nowMs() + 60_000
    gateway.replicas.apply({ ...waking, phase: 'failed', reason: 'image', failures: 1, retryAtMs })

    await clock.advance(intervalMs)
    expect(gateway.replicas.get('echo.fn')).toMatchObject({ phase: 'failed', failures: 1, retryAtMs })
    api.functions = { fn: [{ ...echo, image: 'echo:2', availableReplicas: 0 }] }
    await clock.advance(intervalMs)
    expect(gateway.phaseOf('echo.fn')).toBe('waking')
  })

  it('gives a hung listing up at shutdown', async () => {
    api.gate = new Promise(() => {})
    const starting = gateway.start()
    await clock.advance(1_000)
    await starting

    await gateway[Symbol.asyncDispose]()

    expect(gateway.log.messages('warn')).toEqual([])
  })
})

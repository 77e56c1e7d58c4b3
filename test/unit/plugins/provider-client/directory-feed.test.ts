import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { functionIdentity, type FunctionStatus, type ProviderApi } from '#core'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { DirectoryFeed } from '../../../../plugins/provider-client/directory-feed.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'

const intervalMs = 5_000

/** A provider's lists, in memory. */
class ListedFunctions implements ProviderApi {
  namespaces: readonly string[] | Error = ['fn']
  functions: Record<string, readonly FunctionStatus[] | Error> = {}
  readonly asked: string[] = []
  /** Set to keep listings waiting. */
  gate: Promise<void> | undefined

  call(): never {
    throw new Error('the feed only lists')
  }

  async listNamespaces(): Promise<readonly string[]> {
    if (this.namespaces instanceof Error) throw this.namespaces
    return this.namespaces
  }

  async listFunctions(namespace: string, signal?: AbortSignal): Promise<readonly FunctionStatus[]> {
    this.asked.push(namespace)
    if (this.gate !== undefined) {
      await Promise.race([this.gate, new Promise((resolve) => signal?.addEventListener('abort', resolve))])
      signal?.throwIfAborted()
    }
    const listed = this.functions[namespace] ?? []
    if (listed instanceof Error) throw listed
    return listed
  }
}

const echo: FunctionStatus = { name: 'echo', namespace: 'fn', image: 'echo:1', replicas: 1, availableReplicas: 1 }

describe('DirectoryFeed', () => {
  let clock: FakeClock
  let api: ListedFunctions
  let log: FakeLogger
  let replicas: LocalReplicaDirectory
  let feed: DirectoryFeed
  const shutdown = new AbortController()

  function phaseOf(key: string): string | undefined {
    return replicas.get(key)?.phase
  }

  function create(defaultNamespace: string): DirectoryFeed {
    return new DirectoryFeed({ api, replicas, clock, log }, { intervalMs, firstWaitMs: 1_000, defaultNamespace })
  }

  beforeEach(() => {
    clock = new FakeClock()
    api = new ListedFunctions()
    log = new FakeLogger()
    replicas = new LocalReplicaDirectory({ clock })
    feed = create('fn')
  })

  afterEach(async () => {
    await feed[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  it('fills the directory before the start is over', async () => {
    api.functions = { fn: [echo, { ...echo, name: 'cold', replicas: 0, availableReplicas: 0 }] }

    await feed.start(shutdown.signal)

    expect([phaseOf('echo.fn'), phaseOf('cold.fn')]).toEqual(['ready', 'zero'])
  })

  it('lists every namespace, each once', async () => {
    api.namespaces = ['fn', 'dev', 'fn']
    api.functions = { fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }

    await feed.start(shutdown.signal)

    expect(api.asked).toEqual(['fn', 'dev'])
    expect([phaseOf('echo.fn'), phaseOf('echo.dev')]).toEqual(['ready', 'ready'])
  })

  it.each([
    { when: 'there are none', namespaces: [] },
    { when: 'they cannot be listed', namespaces: new Error('500') },
  ])('lists the default namespace when $when', async ({ namespaces }) => {
    api.namespaces = namespaces

    await feed.start(shutdown.signal)

    expect(api.asked).toEqual(['fn'])
    expect(log.lines).toEqual([])
  })

  it('knows functions by their bare names when there is no default namespace', async () => {
    await using bare = create('')
    api.namespaces = []
    api.functions = { '': [echo] }

    await bare.start(shutdown.signal)

    expect([...replicas.known()].map(({ identity }) => identity.key)).toEqual(['echo'])
  })

  it('knows functions of an unnamed default namespace once, and others by their namespace', async () => {
    await using bare = create('')
    api.namespaces = ['fn', 'dev']
    api.functions = { '': [echo], fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }

    await bare.start(shutdown.signal)

    expect([...replicas.known()].map(({ identity }) => identity.key)).toEqual(['echo', 'echo.dev'])
  })

  it('knows a function once again after the default namespace could not be listed', async () => {
    await using bare = create('')
    api.namespaces = ['fn']
    api.functions = { '': new Error('500'), fn: [echo] }
    await bare.start(shutdown.signal)

    api.functions = { '': [echo], fn: [echo] }
    await clock.advance(intervalMs)

    expect([...replicas.known()].map(({ identity }) => identity.key)).toEqual(['echo'])
  })

  it('follows changes at its interval', async () => {
    await feed.start(shutdown.signal)
    api.functions = { fn: [echo] }

    await clock.advance(intervalMs - 1)
    expect(phaseOf('echo.fn')).toBeUndefined()
    await clock.advance(1)
    expect(phaseOf('echo.fn')).toBe('ready')
  })

  it('forgets functions that are gone, and those of namespaces that are gone', async () => {
    api.namespaces = ['fn', 'dev']
    api.functions = { fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }
    await feed.start(shutdown.signal)

    api.namespaces = ['fn']
    api.functions = { fn: [] }
    await clock.advance(intervalMs)

    expect([...replicas.known()]).toEqual([])
  })

  it('changes nothing when a listing fails, and says so once until it works again', async () => {
    api.functions = { fn: [echo] }
    await feed.start(shutdown.signal)

    api.functions = { fn: new Error('refused') }
    await clock.advance(3 * intervalMs)
    expect(phaseOf('echo.fn')).toBe('ready')
    expect(log.messages('warn')).toHaveLength(1)

    api.functions = { fn: [echo] }
    await clock.advance(2 * intervalMs)
    expect(log.messages('info')).toHaveLength(1)
  })

  it('keeps functions of other namespaces in step when one namespace fails', async () => {
    api.namespaces = ['bad', 'fn']
    api.functions = { bad: new Error('forbidden'), fn: [echo] }

    await feed.start(shutdown.signal)

    expect(phaseOf('echo.fn')).toBe('ready')
  })

  it('lets the start go on after its time when the provider hangs, and works once it answers', async () => {
    const opened = Promise.withResolvers<void>()
    api.gate = opened.promise
    api.functions = { fn: [echo] }
    const starting = feed.start(shutdown.signal)

    await clock.advance(1_000)
    await starting
    expect(phaseOf('echo.fn')).toBeUndefined()

    opened.resolve()
    await clock.advance(0)
    expect(phaseOf('echo.fn')).toBe('ready')
  })

  it('does not take over a listing that was asked for before a wake', async () => {
    const opened = Promise.withResolvers<void>()
    api.functions = { fn: [{ ...echo, replicas: 0, availableReplicas: 0 }] }
    await feed.start(shutdown.signal)
    const zero = replicas.get('echo.fn')
    if (zero === undefined) throw new Error('echo is not listed')

    // 1: the listing is asked for
    api.gate = opened.promise
    await clock.advance(intervalMs)
    // 2: a wake makes the function ready
    await clock.advance(10)
    replicas.apply({ ...zero, phase: 'ready', desired: 1, available: 1, observedAtMs: clock.nowMs() })
    // 3: the listing arrives
    opened.resolve()
    await clock.advance(0)

    expect(phaseOf('echo.fn')).toBe('ready')
  })

  it('does not forget a function that was woken while a listing without it was under way', async () => {
    const opened = Promise.withResolvers<void>()
    await feed.start(shutdown.signal)
    api.gate = opened.promise
    await clock.advance(intervalMs)
    await clock.advance(10)
    const identity = functionIdentity('new', 'fn')
    const facts = { desired: 1, available: 1, min: 1, max: 5, fence: 0, reason: '', retryAtMs: 0, failures: 0 }
    replicas.apply({ identity, phase: 'ready', observedAtMs: clock.nowMs(), labels: {}, annotations: {}, ...facts })

    opened.resolve()
    await clock.advance(0)

    expect(phaseOf('new.fn')).toBe('ready')
  })

  it('ends a failure when another image is deployed', async () => {
    api.functions = { fn: [{ ...echo, availableReplicas: 0 }] }
    await feed.start(shutdown.signal)
    const waking = replicas.get('echo.fn')
    if (waking === undefined) throw new Error('echo is not listed')
    const retryAtMs = clock.nowMs() + 60_000
    replicas.apply({ ...waking, phase: 'failed', reason: 'image', failures: 1, retryAtMs })

    await clock.advance(intervalMs)
    expect(replicas.get('echo.fn')).toMatchObject({ phase: 'failed', failures: 1, retryAtMs })
    api.functions = { fn: [{ ...echo, image: 'echo:2', availableReplicas: 0 }] }
    await clock.advance(intervalMs)
    expect(phaseOf('echo.fn')).toBe('waking')
  })

  it('gives a hung listing up at shutdown', async () => {
    api.gate = new Promise(() => {})
    const starting = feed.start(shutdown.signal)
    await clock.advance(1_000)
    await starting

    await feed[Symbol.asyncDispose]()

    expect(log.lines).toEqual([])
  })
})

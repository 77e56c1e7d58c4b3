import { describe, expect, it } from 'vitest'
import { functionIdentity, type FunctionState } from '#core'
import { LocalReplicaDirectory } from '../../../core/replicas/local-replica-directory.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function state(changed: Partial<FunctionState> = {}): FunctionState {
  return {
    identity: functionIdentity('echo', 'fn'),
    phase: 'ready',
    desired: 1,
    available: 1,
    min: 1,
    max: 5,
    fence: 0,
    observedAtMs: Date.UTC(2026, 0, 1),
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: {},
    annotations: {},
    ...changed,
  }
}

function setUp() {
  const clock = new FakeClock()
  return { clock, directory: new LocalReplicaDirectory({ clock }) }
}

describe('LocalReplicaDirectory', () => {
  it('holds the newest observation of each function', () => {
    const { directory } = setUp()
    const other = state({ identity: functionIdentity('other', 'fn') })

    directory.apply(state({ available: 1 }))
    directory.apply(state({ available: 2 }))
    directory.apply(other)

    expect(directory.get('echo.fn')?.available).toBe(2)
    expect([...directory.known()].map(({ identity }) => identity.key)).toEqual(['echo.fn', 'other.fn'])
    expect(directory.get('unknown.fn')).toBeUndefined()
  })

  it('tells the listeners what it holds now and what it held, after it holds it', () => {
    const { directory } = setUp()
    const heard: unknown[] = []
    directory.subscribe((now, before) => heard.push([now.phase, before?.phase, directory.get('echo.fn') === now]))

    directory.apply(state({ phase: 'zero' }))
    directory.apply(state({ fence: 7 }))
    directory.apply(state())

    expect(heard).toEqual([
      ['zero', undefined, true],
      ['ready', 'zero', true],
      ['ready', 'ready', true],
    ])
  })

  it('tells a listener nothing after its subscription was disposed', () => {
    const { directory } = setUp()
    let times = 0
    const subscription = directory.subscribe(() => (times += 1))

    subscription[Symbol.dispose]()
    directory.apply(state())

    expect(times).toBe(0)
  })

  it('forgets what is removed', () => {
    const { directory } = setUp()
    directory.apply(state())

    directory.remove('echo.fn')

    expect(directory.get('echo.fn')).toBeUndefined()
    expect(directory.knows('echo.fn')).toBe(false)
  })
})

describe('the fence of an observation', () => {
  it('is kept from before when an observation bears none', () => {
    const { directory } = setUp()
    directory.apply(state({ fence: 7 }))

    directory.apply(state({ available: 3 }))

    expect(directory.get('echo.fn')).toMatchObject({ fence: 7, available: 3 })
  })
})

describe('an absent function', () => {
  const absent = (name: string, retryAtMs: number): FunctionState =>
    state({ identity: functionIdentity(name, 'fn'), phase: 'absent', retryAtMs })

  it('is forgotten at the end of its time', async () => {
    const { directory, clock } = setUp()
    directory.apply(absent('echo', clock.nowMs() + 3000))

    await clock.advance(2999)
    const before = directory.get('echo.fn')?.phase
    await clock.advance(1)

    expect(before).toBe('absent')
    expect(directory.get('echo.fn')).toBeUndefined()
  })

  it('is not known, and replaces what was', () => {
    const { directory, clock } = setUp()
    directory.apply(state())

    directory.apply(absent('echo', clock.nowMs() + 3000))

    expect(directory.knows('echo.fn')).toBe(false)
    expect([...directory.known()]).toEqual([])
    expect(directory.get('echo.fn')?.phase).toBe('absent')
  })

  it('is known again with the next observation', () => {
    const { directory, clock } = setUp()
    directory.apply(absent('echo', clock.nowMs() + 3000))

    directory.apply(state())

    expect(directory.knows('echo.fn')).toBe(true)
    expect(directory.get('echo.fn')?.phase).toBe('ready')
  })

  it('is one of 10,000 that are remembered: a flood of names pushes the oldest out', () => {
    const { directory, clock } = setUp()
    const untilMs = clock.nowMs() + 3000

    for (let i = 0; i <= 10_000; i += 1) directory.apply(absent(`name-${i}`, untilMs))

    expect(directory.get('name-0.fn')).toBeUndefined()
    expect(directory.get('name-1.fn')?.phase).toBe('absent')
    expect(directory.get('name-10000.fn')?.phase).toBe('absent')
  })

  it('is not absent for an hour because the wall clock jumped back by one', () => {
    const { directory, clock } = setUp()
    directory.apply(absent('echo', clock.nowMs() + 3000))

    clock.jumpWallClock(-3_600_000)

    expect(directory.get('echo.fn')).toBeUndefined()
  })
})

describe('a function that failed before anybody observed it', () => {
  const unseen = (name: string): FunctionState =>
    state({
      identity: functionIdentity(name, 'fn'),
      phase: 'failed',
      observedAtMs: 0,
      failures: 2,
      reason: 'provider away',
    })

  it('is remembered with its failures, but not known', () => {
    const { directory } = setUp()

    directory.apply(unseen('echo'))

    expect(directory.get('echo.fn')).toMatchObject({ phase: 'failed', failures: 2 })
    expect(directory.knows('echo.fn')).toBe(false)
    expect([...directory.known()]).toEqual([])
  })

  it('takes no more memory than absent ones', () => {
    const { directory } = setUp()

    for (let i = 0; i <= 10_000; i += 1) directory.apply(unseen(`name-${i}`))

    expect(directory.get('name-0.fn')).toBeUndefined()
    expect(directory.get('name-10000.fn')?.phase).toBe('failed')
  })

  it('stays known when it was', () => {
    const { directory } = setUp()
    directory.apply(state())

    directory.apply(unseen('echo'))

    expect(directory.knows('echo.fn')).toBe(true)
  })

  it('is known from the first observation on', () => {
    const { directory } = setUp()
    directory.apply(unseen('echo'))

    directory.apply(state({ phase: 'failed', failures: 2 }))

    expect(directory.knows('echo.fn')).toBe(true)
  })
})

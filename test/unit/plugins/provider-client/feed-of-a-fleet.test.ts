import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Election, FunctionState } from '#core'
import { FakeClock } from '../../../support/fake-clock.ts'
import { EveryDirectory, FedGateway, intervalMs, roleTtlMs, RoundTable } from './fed-gateway.ts'
import { echo, ListedFunctions } from './listed-functions.ts'

const gained = 'this gateway lists the functions of the provider'
const lost = 'another gateway lists the functions of the provider'

describe('the feed of a fleet', () => {
  let clock: FakeClock
  let api: ListedFunctions
  let table: RoundTable
  let shared: EveryDirectory
  const gateways: FedGateway[] = []

  beforeEach(() => {
    clock = new FakeClock()
    api = new ListedFunctions()
    api.functions = { fn: [echo] }
    table = new RoundTable(clock)
    shared = new EveryDirectory(clock)
  })

  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  async function join(election: Election = table.seat()): Promise<FedGateway> {
    const gateway = new FedGateway({ api, clock, election, shared })
    shared.directories.push(gateway.replicas)
    gateways.push(gateway)
    await gateway.start()
    return gateway
  }

  it('asks the provider no more often for five gateways than for one', async () => {
    for (let i = 0; i < 5; i += 1) await join()

    await clock.advance(10 * intervalMs)

    expect(api.asked).toHaveLength(11)
    expect(gateways.map(({ role }) => role.isHeld)).toEqual([true, false, false, false, false])
  })

  it('reaches the directories of all gateways', async () => {
    await join()
    const other = await join()
    api.functions = { fn: [echo, { ...echo, name: 'cold', replicas: 0, availableReplicas: 0 }] }

    await clock.advance(intervalMs)
    expect([other.phaseOf('echo.fn'), other.phaseOf('cold.fn')]).toEqual(['ready', 'zero'])
    api.functions = { fn: [] }
    await clock.advance(intervalMs)
    expect(other.known).toEqual([])
  })

  it('goes on elsewhere when its gateway has died: after the time of the role and one pause, at once then', async () => {
    const first = await join()
    const second = await join()
    const third = await join()
    await clock.advance(intervalMs)
    const diedMs = clock.monotonicMs()
    await first[Symbol.asyncDispose]()
    api.asked.length = 0

    while (api.asked.length === 0) await clock.advance(100)

    expect(clock.monotonicMs() - diedMs).toBeLessThanOrEqual(roleTtlMs + intervalMs)
    expect([second.role.isHeld, third.role.isHeld]).toEqual([true, false])
    await clock.advance(4 * intervalMs)
    expect(api.asked).toHaveLength(5)
  })

  it('says when the role changes hands', async () => {
    const first = await join()
    const second = await join()
    expect([first.log.messages('debug'), second.log.messages('debug')]).toEqual([[gained], [lost]])

    table.free()
    table.give({}, intervalMs / 2)
    await clock.advance(intervalMs / 2)
    const other = await join()
    await clock.advance(intervalMs)

    expect([first.log.messages('info'), second.log.messages('info')]).toEqual([[lost], []])
    expect(other.log.messages('debug')).toEqual([gained])
    await other[Symbol.asyncDispose]()
    await clock.advance(roleTtlMs + intervalMs)
    expect([first, second].flatMap(({ log }) => log.messages('info'))).toContain(gained)
  })

  it('drops a listing that arrives after its gateway was paused and another one has taken over', async () => {
    const opened = Promise.withResolvers<void>()
    const gateway = await join()
    // 1: a listing with one function more is asked for
    api.gate = opened.promise
    api.functions = { fn: [echo, { ...echo, name: 'old' }] }
    await clock.advance(intervalMs)
    // 2: time goes by, and another gateway has the role
    table.give({}, 100 * intervalMs)
    await clock.advance(intervalMs)
    // 3: the listing arrives
    opened.resolve()
    await clock.advance(0)

    expect(gateway.known).toEqual(['echo.fn'])
    expect([gateway.role.isHeld, gateway.log.messages('warn')]).toEqual([false, []])
  })

  it('stops inside a long listing when another gateway has taken over, and forgets nothing', async () => {
    const gateway = await join()
    api.functions = { fn: Array.from({ length: 120 }, (_, i) => ({ ...echo, name: `f${i}` })) }
    const observe = shared.observe.bind(shared)
    const opened = Promise.withResolvers<void>()
    shared.observe = async (state: FunctionState) => {
      await opened.promise
      await observe(state)
    }

    await clock.advance(intervalMs)
    table.give({}, 100 * intervalMs)
    await clock.advance(intervalMs)
    opened.resolve()
    await clock.advance(0)

    expect(gateway.known).toHaveLength(51)
    expect(gateway.known).toContain('echo.fn')
  })

  it('prolongs the role while the provider takes its time', async () => {
    const gateway = await join()
    await join()
    api.namespaces = ['fn', 'a', 'b', 'c', 'd', 'e']
    const listFunctions = api.listFunctions.bind(api)
    api.listFunctions = async (namespace) => {
      await clock.sleep(intervalMs)
      return listFunctions(namespace)
    }

    await clock.advance(intervalMs)
    for (let i = 0; i < 6; i += 1) {
      await clock.advance(intervalMs)
      expect(gateway.role.isHeld).toBe(true)
    }

    expect(api.asked).toEqual(['fn', 'fn', 'a', 'b', 'c', 'd', 'e'])
  })

  it('forgets functions of a namespace that went away while nobody listed', async () => {
    const first = await join()
    const second = await join()
    api.namespaces = ['fn', 'dev']
    api.functions = { fn: [echo], dev: [{ ...echo, namespace: 'dev' }] }
    await clock.advance(intervalMs)
    expect(second.known).toEqual(['echo.fn', 'echo.dev'])

    await first[Symbol.asyncDispose]()
    api.namespaces = ['fn']
    await clock.advance(roleTtlMs + intervalMs)

    expect(second.known).toEqual(['echo.fn'])
  })

  it('does not take a deployment for a new one that was made while others listed', async () => {
    const first = await join()
    table.give({}, 3 * intervalMs)
    await clock.advance(intervalMs)
    api.functions = { fn: [{ ...echo, image: 'echo:2', availableReplicas: 0 }] }
    const held = first.replicas.get('echo.fn')
    if (held === undefined) throw new Error('echo is not listed')
    const failure = { reason: 'image', failures: 2, retryAtMs: clock.nowMs() + 60_000 }
    await shared.observe({ ...held, ...failure, phase: 'failed', available: 0 })

    await clock.advance(4 * intervalMs)

    expect(first.role.isHeld).toBe(true)
    expect(first.replicas.get('echo.fn')).toMatchObject({ phase: 'failed', ...failure })
  })

  it('keeps a function waking that another gateway has just begun to wake, though it is listed at zero', async () => {
    api.functions = { fn: [{ ...echo, replicas: 0, availableReplicas: 0 }] }
    const leader = await join()
    const other = await join()
    const zero = leader.replicas.get('echo.fn')
    if (zero === undefined) throw new Error('echo is not listed')

    await clock.advance(1_000)
    await shared.observe({ ...zero, phase: 'waking', desired: 1 })
    await clock.advance(intervalMs)
    expect(other.phaseOf('echo.fn')).toBe('waking')
    await clock.advance(2 * intervalMs)
    expect(other.phaseOf('echo.fn')).toBe('zero')
  })

  it('asks for the role a tenth sooner or later', async () => {
    for (const share of [0, 0.999]) {
      const gateway = new FedGateway({ api, clock, random: () => share })
      gateways.push(gateway)
      await gateway.start()
    }
    api.asked.length = 0

    await clock.advance(0.9 * intervalMs)
    expect(api.asked).toHaveLength(1)
    await clock.advance(0.19 * intervalMs)
    expect(api.asked).toHaveLength(1)
    await clock.advance(0.01 * intervalMs)
    expect(api.asked).toHaveLength(2)
  })

  it('goes on after an election that broke its word and threw', async () => {
    let isBroken = true
    const gateway = await join({
      leads: async () => {
        if (isBroken) throw new Error('broken')
        return true
      },
    })
    expect(gateway.log.messages('error')).toHaveLength(1)

    isBroken = false
    await clock.advance(intervalMs)

    expect(gateway.phaseOf('echo.fn')).toBe('ready')
  })
})

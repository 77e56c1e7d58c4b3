import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FunctionIdentity, FunctionState, SharedDirectory } from '#core'
import { MemoryCoordinator } from '../../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FedGateway, intervalMs } from './fed-gateway.ts'
import { echo, ListedFunctions } from './listed-functions.ts'

/** Tells one directory, slowly, and fails on demand. */
class SlowDirectory implements SharedDirectory {
  readonly #inner: SharedDirectory
  running = 0
  most = 0
  /** Keys for which telling fails. */
  broken = new Set<string>()
  /** Resolves when telling may go on. */
  gate: Promise<void> | undefined

  constructor(inner: SharedDirectory) {
    this.#inner = inner
  }

  observe(state: FunctionState): Promise<void> {
    return this.#slowly(state.identity, () => this.#inner.observe(state))
  }

  forget(identity: FunctionIdentity): Promise<void> {
    return this.#slowly(identity, () => this.#inner.forget(identity))
  }

  async #slowly({ key }: FunctionIdentity, work: () => Promise<void>): Promise<void> {
    this.running += 1
    this.most = Math.max(this.most, this.running)
    await (this.gate ?? new Promise((resolve) => setImmediate(resolve)))
    this.running -= 1
    if (this.broken.has(key)) throw new Error('the store refused')
    await work()
  }
}

describe('taking listings over', () => {
  let clock: FakeClock
  let api: ListedFunctions
  let gateway: FedGateway
  let shared: SlowDirectory

  beforeEach(() => {
    clock = new FakeClock()
    api = new ListedFunctions()
    const replicas = new LocalReplicaDirectory({ clock })
    shared = new SlowDirectory(new MemoryCoordinator({ clock, directory: replicas }))
    gateway = new FedGateway({ api, clock, shared, replicas })
  })

  afterEach(async () => {
    await gateway[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  function list(count: number): void {
    api.functions = { fn: Array.from({ length: count }, (_, i) => ({ ...echo, name: `f${i}` })) }
  }

  it('tells of fifteen thousand functions, and forgets them, no more than fifty at the same time', async () => {
    list(15_000)
    await gateway.start()
    expect(gateway.known).toHaveLength(15_000)

    list(0)
    let left = 15_000
    const emptied = Promise.withResolvers<void>()
    const forget = shared.forget.bind(shared)
    shared.forget = async (identity) => {
      await forget(identity)
      left -= 1
      if (left === 0) emptied.resolve()
    }
    await clock.advance(intervalMs)
    await emptied.promise

    expect(gateway.known).toEqual([])
    expect(shared.most).toBe(50)
  })

  it('lets the event loop go on after every fifty functions that cost no I/O', async () => {
    const alone = new FedGateway({ api, clock })
    list(15_000)
    let inTurn = 0
    let most = 0
    let isOver = false
    using _subscription = alone.replicas.subscribe(() => {
      inTurn += 1
      most = Math.max(most, inTurn)
    })
    const turn = (): void => {
      inTurn = 0
      if (!isOver) setImmediate(turn)
    }
    turn()

    await alone.start()

    isOver = true
    await alone[Symbol.asyncDispose]()
    expect(alone.known).toHaveLength(15_000)
    expect(most).toBeLessThanOrEqual(100)
  })

  it('says once that gateways cannot be told, tells the rest, and says when it works again', async () => {
    list(3)
    shared.broken.add('f1.fn')
    await gateway.start()
    await clock.advance(2 * intervalMs)
    expect(gateway.known).toEqual(['f0.fn', 'f2.fn'])
    expect(gateway.log.messages('warn')).toEqual(['what the provider lists cannot be told to all gateways'])

    shared.broken.clear()
    await clock.advance(intervalMs)

    expect(gateway.known).toHaveLength(3)
    expect(gateway.log.messages('info')).toEqual(['what the provider lists can be told to all gateways again'])
  })

  it('goes on when what is gone cannot be forgotten, and forgets it in a later round', async () => {
    list(2)
    await gateway.start()
    shared.broken.add('f0.fn')
    list(0)
    await clock.advance(intervalMs)
    expect(gateway.known).toEqual(['f0.fn'])

    shared.broken.clear()
    await clock.advance(intervalMs)

    expect(gateway.known).toEqual([])
  })

  it('does not forget a function that was observed while others were told of', async () => {
    list(2)
    await gateway.start()
    const held = gateway.replicas.get('f1.fn')
    if (held === undefined) throw new Error('f1 is not listed')
    const opened = Promise.withResolvers<void>()
    shared.gate = opened.promise

    // 1: a listing without f1 is being told
    list(1)
    await clock.advance(intervalMs)
    // 2: f1 is observed
    await clock.advance(10)
    gateway.replicas.apply({ ...held, observedAtMs: clock.nowMs() })
    // 3: what was listed is told, and what is gone is looked for
    opened.resolve()
    await clock.advance(0)

    expect(gateway.known).toEqual(['f0.fn', 'f1.fn'])
  })

  it('ends at shutdown after the functions that are being told of', async () => {
    list(500)
    const opened = Promise.withResolvers<void>()
    shared.gate = opened.promise
    const starting = gateway.start()
    await clock.advance(1_000)
    await starting

    const disposing = gateway[Symbol.asyncDispose]()
    opened.resolve()
    await disposing

    expect(gateway.known).toHaveLength(50)
    expect(gateway.log.messages('warn')).toEqual([])
  })
})

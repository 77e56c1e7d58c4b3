import { describe, expect, it } from 'vitest'
import {
  GatewayError,
  type Acquired,
  type Clock,
  type FunctionIdentity,
  type FunctionState,
  type Lease,
  type ReplicaDirectory,
} from '#core'
import { MemoryCoordinator } from '../../../../core/coordination/memory-coordinator.ts'
import { Waking } from './waking.ts'

interface Leases {
  /** How many renewals are to fail. */
  toLose: number
  /** Of the leases given out. */
  readonly fences: number[]
}

/** Loses leases of their holders as often as it is told. */
class ForgetfulCoordinator extends MemoryCoordinator {
  override readonly renewEveryMs = 100
  readonly #leases: Leases

  constructor(deps: { clock: Clock; directory: ReplicaDirectory }, leases: Leases) {
    super(deps)
    this.#leases = leases
  }

  override async acquire(identity: FunctionIdentity): Promise<Acquired> {
    const acquired = await super.acquire(identity)
    if (acquired.role === 'leader') this.#leases.fences.push(acquired.lease.fence)
    return acquired
  }

  override async renew(lease: Lease): Promise<boolean> {
    if (this.#leases.toLose === 0) return super.renew(lease)
    this.#leases.toLose -= 1
    await this.release(lease)
    return false
  }
}

/** Refuses failures, as a newer leader's fence does. */
class OvertakenCoordinator extends MemoryCoordinator {
  override async publish(state: FunctionState): Promise<boolean> {
    return state.phase !== 'failed' && super.publish(state)
  }
}

describe('a wake', () => {
  it('asks for as many replicas as the label says, at least one, under the fence of its lease', async () => {
    const waking = new Waking()
    waking.query.labels = { 'com.openfaas.scale.min': '3' }
    waking.query.readyAfterMs = 0

    waking.hold()
    await waking.clock.advance(50)

    expect(waking.query.scales).toMatchObject([{ key: 'echo.fn', replicas: 3 }])
    expect(waking.query.scales[0]?.fence).toBe(waking.state?.fence)
    expect(waking.state?.fence).toBeGreaterThan(0)
  })

  it('asks for one replica where the label says none', async () => {
    const waking = new Waking()
    waking.query.labels = { 'com.openfaas.scale.min': '0' }

    waking.hold()
    await waking.clock.advance(0)

    expect(waking.query.scales).toMatchObject([{ replicas: 1 }])
  })

  it('scales nothing that is on its way already', async () => {
    const waking = new Waking()
    waking.query.desired = 1

    const call = waking.hold()
    await waking.clock.advance(30_000)
    waking.query.becomeReady()
    await waking.clock.advance(1000)

    expect(call.ended).toBe('released')
    expect(waking.query.scales).toEqual([])
  })

  it('polls often at first, then for a fixed share of the time it has lasted, at most every 500 ms', async () => {
    const waking = new Waking({ holdTimeoutMs: 120_000 })
    waking.hold()

    await waking.clock.advance(119_000)

    const pauses = waking.query.statuses.map((atMs, at, all) => atMs - (all[at - 1] ?? atMs)).slice(1)
    expect(pauses.slice(0, 3)).toEqual([5, 5, 5])
    expect(Math.max(...pauses)).toBe(500)
    expect(pauses.every((pause, at) => pause >= (pauses[at - 1] ?? 0) - 1e-6)).toBe(true)
    expect(pauses.length).toBeLessThan(1_250)
  })

  it('logs what it asks for and how long it took, in words that people search for', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 200

    waking.hold()
    await waking.clock.advance(300)

    expect(waking.log.messages('info')).toEqual([
      '[Scale 1] function=echo.fn 0 => 1 requested',
      '[Ready] function=echo.fn waited for - 0.2000s',
    ])
  })

  it('measures its phases', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 200

    waking.hold()
    await waking.clock.advance(300)

    const lines = await waking.metricLines('pilotlight_wake_phase_seconds_sum')
    expect(lines).toHaveLength(3)
    expect(lines).toContain('pilotlight_wake_phase_seconds_sum{function_name="echo.fn",phase="ready"} 0.2')
  })

  it('sends a scale call again that got lost, with back-off', async () => {
    const waking = new Waking()
    waking.query.lostScales = 3
    waking.query.readyAfterMs = 0

    const call = waking.hold()
    await waking.clock.advance(500)

    const instants = waking.query.scales.map(({ atMs }) => atMs - 1_000_000)
    expect(instants).toEqual([0, 25, 75, 175])
    expect(call.ended).toBe('released')
  })

  it('sends an accepted scale call again that shows no effect, after twice the time each time', async () => {
    const waking = new Waking()
    waking.query.ignoresScales = true

    waking.hold()
    await waking.clock.advance(40_000)

    const instants = waking.query.scales.map(({ atMs }) => atMs - 1_000_000)
    expect(instants).toHaveLength(4)
    expect(instants[0]).toBe(0)
    expect(instants[1]).toBeGreaterThanOrEqual(5_000)
    expect(instants[1]).toBeLessThan(5_500)
    expect(instants[2]).toBeGreaterThanOrEqual(15_000)
    expect(instants[2]).toBeLessThan(16_500)
    expect(instants[3]).toBeGreaterThanOrEqual(35_000)
    expect(instants[3]).toBeLessThan(37_500)
  })

  it('has the function scaled again that somebody scaled down during the wake', async () => {
    const waking = new Waking()
    waking.query.desired = 1
    waking.hold()
    await waking.clock.advance(100)

    waking.query.desired = 0
    await waking.clock.advance(6_000)

    expect(waking.query.scales).toHaveLength(1)
  })

  it('outlives a provider that does not answer for a while', async () => {
    const waking = new Waking()
    waking.query.isDown = true
    const call = waking.hold()
    await waking.clock.advance(4_000)

    waking.query.isDown = false
    waking.query.readyAfterMs = 0
    await waking.clock.advance(2_000)

    expect(call.ended).toBe('released')
    expect(waking.query.scales).toHaveLength(1)
  })

  it('ends with the reason when the provider refuses to scale for good', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = new GatewayError('no_ready_replica', 'the provider refused to scale "echo.fn" to 1')

    const call = waking.hold()
    await waking.clock.advance(0)

    expect(call.ended).toBe('no_ready_replica')
    expect(waking.query.scales).toHaveLength(1)
    expect(waking.state).toMatchObject({
      phase: 'failed',
      reason: 'the provider refused to scale "echo.fn" to 1',
      failures: 1,
    })
  })

  it('goes on under a new lease when its lease is lost, and releases nobody before the function is ready', async () => {
    const leases = { toLose: 2, fences: [] as number[] }
    const waking = new Waking({ createCoordinator: (deps) => new ForgetfulCoordinator(deps, leases) })
    const call = waking.hold()

    await waking.clock.advance(500)
    const whileLost = call.ended
    waking.query.becomeReady()
    await waking.clock.advance(100)

    expect(whileLost).toBeUndefined()
    expect(call.ended).toBe('released')
    expect(leases.fences).toHaveLength(3)
    expect(leases.fences).toEqual(leases.fences.toSorted((a, b) => a - b))
  })

  it('refuses nobody for a failure that it found out after another one had taken over', async () => {
    const waking = new Waking({
      options: { crashPatience: '100ms' },
      createCoordinator: (deps) => new OvertakenCoordinator(deps),
    })
    waking.query.reason = 'crash loop'
    const call = waking.hold()
    await waking.clock.advance(120)

    waking.query.reason = ''
    waking.query.becomeReady()
    await waking.clock.advance(100)

    expect(call.ended).toBe('released')
  })

  it('follows while another holder has the lease, and takes over when that one is gone', async () => {
    const waking = new Waking()
    const other = await waking.coordinator.acquire(waking.identity)
    const call = waking.hold()
    await waking.clock.advance(3_000)
    const whileFollowing = waking.query.statuses.length

    if (other.role === 'leader') await waking.coordinator.release(other.lease)
    waking.query.readyAfterMs = 0
    await waking.clock.advance(1_100)

    expect(whileFollowing).toBe(0)
    expect(call.ended).toBe('released')
  })

  it('gives its lease back however it ends', async () => {
    const waking = new Waking()
    waking.hold().client.leave()
    waking.query.exists = false
    await waking.clock.advance(0)
    waking.hold()
    await waking.clock.advance(0)

    expect(await waking.coordinator.acquire(waking.identity)).toMatchObject({ role: 'leader' })
  })
})

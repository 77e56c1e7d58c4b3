import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { functionIdentity } from '#core'
import type { StoreChange } from '../../../core/coordination/coordination-store.ts'
import { LineStore } from '../../../core/coordination/local-store/line-store.ts'
import { LocalStore } from '../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../core/coordination/local-store/serve-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

const echo = functionIdentity('echo', 'fn')
const never = new AbortController().signal
const clock = new SystemClock()
const log = new FakeLogger()

const children: ChildProcess[] = []
guardAgainstLeaks()
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => ended(child)))
})

function start(role: 'worker' | 'supervisor'): ChildProcess {
  const child = fork(fileURLToPath(new URL(`${role}-process.ts`, import.meta.url)), { serialization: 'advanced' })
  killOnExit(child)
  children.push(child)
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** A store in another process, and the fleet of one gateway that uses it. */
async function joinSupervisor() {
  const supervisor = start('supervisor')
  const store = new LineStore({ line: new ProcessLine(supervisor), clock, log })
  const gateway = new FleetGateway({ store, clock, leaseTtlMs: 60_000 })
  await gateway.fleet.start()
  await eventually('the fleet to be together', async () => (await degraded(gateway)) === '0')
  return { supervisor, store, gateway }
}

async function degraded(gateway: FleetGateway): Promise<string | undefined> {
  const [line] = await gateway.metricLines('pilotlight_coordination_degraded')
  return line?.split(' ').at(-1)
}

async function failureOf(call: Promise<unknown>): Promise<{ failure: unknown; afterMs: number }> {
  const startMs = performance.now()
  const failure = await call.then(
    () => 'no failure',
    (error: unknown) => error,
  )
  return { failure, afterMs: performance.now() - startMs }
}

describe('the store of worker processes', () => {
  it('hands the work of a killed worker to another one at once, long before its lease expires', async () => {
    const store = new LocalStore({ clock, log })
    const changes: StoreChange[] = []
    const witness = store.member('witness')
    witness.open(
      (change) => changes.push(change),
      () => {},
    )
    await using follower = new FleetGateway({ store: store.member('supervisor'), clock, leaseTtlMs: 60_000 })
    await follower.fleet.start()
    const worker = start('worker')
    const line = new ProcessLine(worker)
    const led = Promise.withResolvers<unknown>()
    line.receive('leads', led.resolve)
    serveStore(store, line)
    const lease = await led.promise
    const followed = await follower.fleet.leases.acquire(echo)
    const roleBefore = await follower.fleet.election.leads('feed', 60_000)
    if (followed.role === 'leader') throw new Error('two leaders')
    const waiting = followed.again(never)

    worker.kill('SIGKILL')
    await waiting
    await eventually('the release to be told', () => changes.some(({ kind }) => kind === 'released'))

    const acquired = await follower.fleet.leases.acquire(echo)
    expect(lease).toEqual({ holdsRole: true, fence: expect.any(Number) })
    expect(roleBefore).toBe(false)
    expect(acquired.role).toBe('leader')
    expect(await follower.fleet.election.leads('feed', 60_000)).toBe(true)
    await witness[Symbol.asyncDispose]()
  })

  it('is given up in time when its process is stopped, and shared again when that goes on', async () => {
    const { supervisor, store, gateway } = await joinSupervisor()
    await using _closed = gateway
    supervisor.kill('SIGSTOP')

    const { failure, afterMs } = await failureOf(store.read(echo.key))
    const alone = await gateway.fleet.leases.acquire(echo)
    supervisor.kill('SIGCONT')
    await eventually('the fleet to be together again', async () => (await degraded(gateway)) === '0')

    expect(failure).toMatchObject({ code: 'lease_store_unavailable', details: { failure: 'timed_out' } })
    expect(afterMs).toBeGreaterThan(950)
    expect(afterMs).toBeLessThan(3_000)
    expect(alone.role).toBe('leader')
    if (alone.role === 'leader') await gateway.fleet.leases.release(alone.lease)
    expect(await store.acquire(echo.key, { ttlMs: 1_000, knownVersion: 0, aboveFence: 0 })).toMatchObject({
      role: 'leader',
    })
  })

  it('fails at once when its process is killed, also for what is under way', async () => {
    const { supervisor, store, gateway } = await joinSupervisor()
    await using _closed = gateway
    supervisor.kill('SIGSTOP')
    const underWay = failureOf(store.read(echo.key))

    supervisor.kill('SIGKILL')
    const first = await underWay
    const second = await failureOf(store.read(echo.key))

    for (const { failure, afterMs } of [first, second]) {
      expect(failure).toMatchObject({ code: 'lease_store_unavailable', details: { failure: 'away' } })
      expect(afterMs).toBeLessThan(900)
    }
    expect(await gateway.fleet.leases.acquire(echo)).toMatchObject({ role: 'leader' })
  })

  it('carries what a function may be called and say, byte for byte', async () => {
    const { store, gateway } = await joinSupervisor()
    await using _closed = gateway
    const body = `é "quoted" \\ / \u0000 \u{1f680} line\nline ${'x'.repeat(1_000_000)}`
    const written = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body } as const

    await store.write('ü.fn', written)

    expect(await store.read('ü.fn')).toMatchObject({ body })
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  functionIdentity,
  type Acquired,
  type Coordinator,
  type FunctionState,
  type Lease,
  type ReplicaDirectory,
} from '#core'

/** One implementation, as one gateway has it. */
export interface CoordinatorUnderTest extends AsyncDisposable {
  readonly coordinator: Coordinator
  /** The directory of the same gateway. */
  readonly directory: ReplicaDirectory
}

/** What every {@link Coordinator} guarantees. `make` is called before each test and gets a namespace that no other test uses. */
export function describeCoordinator(name: string, make: () => Promise<CoordinatorUnderTest>): void {
  describe(`${name} as a coordinator`, () => {
    let current: CoordinatorUnderTest
    let test = 0
    beforeEach(async () => {
      test += 1
      current = await make()
    })
    afterEach(() => current[Symbol.asyncDispose]())

    const identity = (function_ = 'echo') => functionIdentity(function_, `test-${test}`)
    const acquire = (function_?: string): Promise<Acquired> => current.coordinator.acquire(identity(function_))
    const lead = async (function_?: string): Promise<Lease> => leaseOf(await acquire(function_))
    const stateUnder = (fence: number, changed: Partial<FunctionState> = {}): FunctionState => ({
      identity: identity(),
      phase: 'waking',
      desired: 1,
      available: 0,
      min: 1,
      max: 5,
      fence,
      observedAtMs: 1_800_000_000_000,
      reason: '',
      retryAtMs: 0,
      failures: 0,
      labels: { team: 'one' },
      annotations: { topic: 'a,b' },
      ...changed,
    })

    it('gives the lease of a function to the first who asks; the others follow', async () => {
      const answers = await Promise.all([acquire(), acquire(), acquire()])

      expect(answers.map(({ role }) => role).toSorted()).toEqual(['follower', 'follower', 'leader'])
    })

    it('gives leases of different functions to different holders', async () => {
      expect([await acquire('one'), await acquire('two')]).toMatchObject([{ role: 'leader' }, { role: 'leader' }])
    })

    it('names the function and a positive fence in the lease', async () => {
      const lease = await lead()

      expect(lease.identity).toEqual(identity())
      expect(lease.fence).toBeGreaterThan(0)
      expect(Number.isSafeInteger(lease.fence)).toBe(true)
    })

    it('lets the next one lead after a release, with a larger fence', async () => {
      const fences: number[] = []
      for (let turn = 0; turn < 3; turn += 1) {
        const lease = await lead()
        fences.push(lease.fence)
        await current.coordinator.release(lease)
      }

      expect(new Set(fences).size).toBe(3)
      expect(fences).toEqual(fences.toSorted((a, b) => a - b))
    })

    it('renews a lease that is held', async () => {
      const lease = await lead()

      expect(await current.coordinator.renew(lease)).toBe(true)
      expect(await acquire()).toMatchObject({ role: 'follower' })
    })

    it('renews no lease that was given up, nor one that somebody else holds now', async () => {
      const old = await lead()
      await current.coordinator.release(old)
      const renewedAfterRelease = await current.coordinator.renew(old)
      const next = await lead()

      expect(renewedAfterRelease).toBe(false)
      expect(await current.coordinator.renew(old)).toBe(false)
      expect(await current.coordinator.renew(next)).toBe(true)
    })

    it('takes no lease away from its holder when an old one is released again', async () => {
      const old = await lead()
      await current.coordinator.release(old)
      const next = await lead()

      await current.coordinator.release(old)

      expect(await acquire()).toMatchObject({ role: 'follower' })
      expect(await current.coordinator.renew(next)).toBe(true)
    })

    it('publishes a state to the own directory before it says so', async () => {
      const { fence } = await lead()

      const accepted = await current.coordinator.publish(stateUnder(fence))

      expect(accepted).toBe(true)
      expect(current.directory.get(identity().key)).toEqual(stateUnder(fence))
    })

    it('tells the listeners of the directory what it publishes', async () => {
      const { fence } = await lead()
      const heard: string[] = []
      using _subscription = current.directory.subscribe((state) => heard.push(state.phase))

      await current.coordinator.publish(stateUnder(fence))
      await current.coordinator.publish(stateUnder(fence, { phase: 'ready', available: 1 }))

      expect(heard).toEqual(['waking', 'ready'])
    })

    it('refuses what is published under a lease older than the newest, and keeps what it has', async () => {
      const old = await lead()
      await current.coordinator.release(old)
      const { fence } = await lead()
      await current.coordinator.publish(stateUnder(fence, { phase: 'ready', available: 1 }))

      const accepted = await current.coordinator.publish(stateUnder(old.fence, { phase: 'failed', reason: 'late' }))

      expect(accepted).toBe(false)
      expect(current.directory.get(identity().key)).toEqual(stateUnder(fence, { phase: 'ready', available: 1 }))
    })

    it('carries every field of a failure', async () => {
      const { fence } = await lead()
      const failed = stateUnder(fence, {
        phase: 'failed',
        reason: 'image "ü" not found',
        retryAtMs: 1_900_000_000_000,
        failures: 3,
      })

      await current.coordinator.publish(failed)

      expect(current.directory.get(identity().key)).toEqual(failed)
    })

    it('survives a renewal and a release after it was closed', async () => {
      const lease = await lead()
      await current[Symbol.asyncDispose]()

      await expect(current.coordinator.renew(lease)).resolves.toBe(false)
      await expect(current.coordinator.release(lease)).resolves.toBeUndefined()
    })
  })
}

function leaseOf(acquired: Acquired): Lease {
  if (acquired.role === 'leader') return acquired.lease
  throw new Error('somebody else holds the lease')
}

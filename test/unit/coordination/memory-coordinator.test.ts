import { describe, expect, it } from 'vitest'
import { functionIdentity } from '#core'
import { MemoryCoordinator } from '../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../core/replicas/local-replica-directory.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const echo = functionIdentity('echo', 'fn')

async function fenceOf(coordinator: MemoryCoordinator): Promise<number> {
  const acquired = await coordinator.acquire(echo)
  return acquired.role === 'leader' ? acquired.lease.fence : 0
}

describe('MemoryCoordinator', () => {
  it('gives larger fences after a restart of the gateway, so that a provider accepts them', async () => {
    const clock = new FakeClock()
    const directory = new LocalReplicaDirectory({ clock })
    const before = await fenceOf(new MemoryCoordinator({ clock, directory }))

    await clock.advance(1000)
    const after = await fenceOf(new MemoryCoordinator({ clock, directory }))

    expect(after).toBeGreaterThan(before)
  })

  it('never loses a lease by time', async () => {
    const clock = new FakeClock()
    const coordinator = new MemoryCoordinator({ clock, directory: new LocalReplicaDirectory({ clock }) })
    const acquired = await coordinator.acquire(echo)

    await clock.advance(24 * 3_600_000)

    expect(acquired.role === 'leader' && (await coordinator.renew(acquired.lease))).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import type { Coordinator, ServiceQuery } from '#core'
import type { RecordSurroundings } from '../../core/coordination/local-store/local-records.ts'
import type { StoredRecord } from '../../core/coordination/local-store/stored-record.ts'
import { type Explored } from './explore.ts'
import { blemishes, type Invariant, type Violation } from './invariants.ts'
import type { PlanOptions } from './plan.ts'
import { firstViolations } from './search.ts'
import { SimulatedProvider } from './simulated-provider.ts'
import { WatchedRecords } from './watched-records.ts'
import type { WorldVariant } from './world.ts'

/** A part that is broken, and what must be found because of it. */
interface Mutation {
  readonly variant: WorldVariant
  readonly under: PlanOptions
  readonly breaks: Invariant
}

class GenerousRecords extends WatchedRecords {
  protected override isHeld(): boolean {
    return false
  }
}

class CountingRecords extends WatchedRecords {
  protected override nextFence({ fence }: StoredRecord): number {
    return fence + 1
  }
}

class GullibleRecords extends WatchedRecords {
  protected override refuses(): boolean {
    return false
  }
}

class GullibleProvider extends SimulatedProvider {
  protected override isStale(): boolean {
    return false
  }
}

const isCalm = true
const mutations: Readonly<Record<string, Mutation>> = {
  'a store that gives a lease to whoever asks': {
    variant: recordsOf(GenerousRecords),
    under: { troubles: [], isCalm },
    breaks: 'I1',
  },
  'gateways that do not ask who leads': {
    variant: { coordinator: (leases) => varied(leases, { acquire: (identity) => alone(leases, identity) }) },
    under: { troubles: [], isCalm },
    breaks: 'I1',
  },
  'a leader that scales twice to be sure': {
    variant: { query: scalingTwice },
    under: { troubles: ['gateways'] },
    breaks: 'I1',
  },
  'a provider that takes any fence': {
    variant: { provider: (...parts) => new GullibleProvider(...parts) },
    under: { troubles: ['gateways', 'store'] },
    breaks: 'I2',
  },
  'a store that lets old leases write': {
    variant: recordsOf(GullibleRecords),
    under: { troubles: ['overtaken leaders'] },
    breaks: 'I2',
  },
  'a leader that does not release its lease': {
    variant: { coordinator: (leases) => varied(leases, { release: async () => {} }) },
    under: { troubles: [], isCalm },
    breaks: 'I3',
  },
  'a follower that waits until it is told': {
    variant: { coordinator: patient },
    under: { troubles: ['gateways', 'connections'] },
    breaks: 'I3',
  },
  'a store that counts its fences': {
    variant: recordsOf(CountingRecords),
    under: { troubles: ['failovers'] },
    breaks: 'I4',
  },
  'a store that cannot be read through': {
    variant: { store: (store) => void Object.assign(store, { keys: async () => [] }) },
    under: { troubles: ['connections'] },
    breaks: 'I5',
  },
}

describe('the search for broken rules', () => {
  it.each(Object.entries(mutations))('finds %s', async (_name, { variant, under, breaks }) => {
    const found = await firstViolations(variant, { ...under, inspect: inspectionOf(under) })

    expect(found.map(({ invariant }) => invariant)).toContain(breaks)
  })
})

function inspectionOf({ isCalm: calm = false }: PlanOptions): (explored: Explored) => readonly Violation[] {
  return ({ world, plan }) => (calm ? blemishes(world, 1_000 + 2 * plan.mostReadyMs) : [])
}

function recordsOf(Records: typeof WatchedRecords): WorldVariant {
  return { records: (around: RecordSurroundings, nowMs: () => number) => new Records(around, nowMs) }
}

/** The same coordinator, with some calls replaced. */
function varied(leases: Coordinator, changed: Partial<Coordinator>): Coordinator {
  return {
    renewEveryMs: leases.renewEveryMs,
    acquire: (identity, aboveFence) => leases.acquire(identity, aboveFence),
    renew: (lease) => leases.renew(lease),
    publish: (state) => leases.publish(state),
    release: (lease) => leases.release(lease),
    ...changed,
  }
}

async function alone(
  leases: Coordinator,
  identity: Parameters<Coordinator['acquire']>[0],
): ReturnType<Coordinator['acquire']> {
  const acquired = await leases.acquire(identity)
  if (acquired.role === 'leader') return acquired
  return { role: 'leader', lease: { identity, fence: Number.MAX_SAFE_INTEGER } }
}

function patient(leases: Coordinator): Coordinator {
  return varied(leases, {
    acquire: async (identity, aboveFence) => {
      const acquired = await leases.acquire(identity, aboveFence)
      if (acquired.role === 'leader') return acquired
      const again = (signal: AbortSignal): Promise<void> =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      return { role: 'follower', again }
    },
  })
}

function scalingTwice(query: ServiceQuery): ServiceQuery {
  return {
    status: (target, signal) => query.status(target, signal),
    scale: async (target, replicas, options) => {
      await query.scale(target, replicas, options)
      await query.scale(target, replicas, options)
    },
  }
}

import { describe, expect, it } from 'vitest'
import { functionLoad, type InstanceLoad, type InstancePhase, type KnownInstance } from '#core'

function instance(phase: InstancePhase, load: Partial<InstanceLoad>): KnownInstance {
  const record = { id: 'i', name: 'echo', namespace: '', address: '10.0.0.1', port: 1, adminPort: 0, secure: false }
  return {
    record: { ...record, limit: 0, phase, revision: 1 },
    functionKey: 'echo',
    origin: 'http://10.0.0.1:1',
    load: { inFlight: 0, queued: 0, streams: 0, idleForMs: 0, ...load },
  }
}

describe('functionLoad', () => {
  it('adds up calls, and takes the shortest idleness', () => {
    const known = [
      instance('ready', { inFlight: 2, queued: 1, streams: 1 }),
      instance('leaving', { inFlight: 1, idleForMs: 0 }),
      instance('ready', { idleForMs: 9_000 }),
    ]

    expect(functionLoad({ all: () => known }, 'echo')).toEqual({
      instances: 3,
      ready: 2,
      inFlight: 3,
      queued: 1,
      streams: 1,
      idleForMs: 0,
    })
  })

  it('has no opinion on the idleness of a function without instances', () => {
    expect(functionLoad({ all: () => [] }, 'echo')).toMatchObject({ instances: 0, idleForMs: undefined })
  })
})

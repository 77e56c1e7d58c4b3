import { describe, expect, it } from 'vitest'
import { decodeDeployment } from '../../../../plugins/local-provider/functions/deployment.ts'
import { LocalFunction } from '../../../../plugins/local-provider/functions/local-function.ts'
import { FunctionLog } from '../../../../plugins/local-provider/logs/function-log.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function functionOf(): LocalFunction {
  const clock = new FakeClock()
  const log = new FunctionLog(clock, { maxLines: 10, maxBytes: 1000 })
  const deployment = decodeDeployment({ service: 'one', image: 'alpine' }, 'fn')
  const stored = { deployment, replicas: 1, createdAt: '2026-01-01T00:00:00Z' }
  const fences = { read: () => 0, write: () => {} }
  const made = new LocalFunction({ clock, log, fences, onFirstReplica: () => {} }, false, stored)
  made.run(stored, { problem: 'no way to run it' })
  return made
}

describe('LocalFunction', () => {
  it('refuses a fence older than the newest seen, and takes an equal or a missing one', () => {
    const one = functionOf()
    one.scale(2, 5)
    one.scale(3, undefined)
    one.scale(4, 5)

    expect(() => one.scale(9, 4)).toThrow('fence 4 is older than 5')
    expect(one.stored.replicas).toBe(4)
  })

  it('says why it cannot run, while it should', () => {
    const one = functionOf()

    expect(one.status()).toMatchObject({ replicas: 1, availableReplicas: 0, reason: 'no way to run it' })
    one.scale(0, undefined)
    expect(one.status()).not.toHaveProperty('reason')
  })
})

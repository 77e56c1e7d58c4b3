import { describe, expect, it } from 'vitest'
import type { InstancePhase } from '#core/lean'
import { watchdogAnswer } from '../../../../sidecar/inbound/watchdog-paths.ts'
import { RequestAndClient } from '../../http/some-request.ts'

function statusOf(target: string, phase: InstancePhase): number | undefined {
  return watchdogAnswer(new RequestAndClient({ target }).request, phase)?.status
}

describe('watchdogAnswer', () => {
  it.each([
    ['starting', 200, 503],
    ['ready', 200, 200],
    ['unready', 200, 503],
    ['leaving', 503, 503],
  ] as const)(
    'says of an instance that is %s: health %d, readiness %d, with a query or without',
    (phase, health, ready) => {
      expect([statusOf('/_/health', phase), statusOf('/_/health?x=1', phase)]).toEqual([health, health])
      expect([statusOf('/_/ready', phase), statusOf('/_/ready?', phase)]).toEqual([ready, ready])
    },
  )

  it.each(['/', '/?a=/_/health', '/_/healthy', '/_/health/', '/x/_/ready'])('leaves %s to the function', (target) => {
    expect(statusOf(target, 'ready')).toBeUndefined()
  })
})

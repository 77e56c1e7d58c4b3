import { describe, expect, it } from 'vitest'
import type { GatewayRequest } from '../../../../core/http/gateway-request.ts'
import { DrainWait } from '../../../../sidecar/admin/drain-wait.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

/** As much of a request as is looked at here. */
class FakeRequest {
  leave = (): void => undefined

  onGone(listener: () => void): void {
    this.leave = listener
  }
}

function start() {
  const clock = new FakeClock()
  const drained = Promise.withResolvers<void>()
  let isLeaving = false
  const wait = new DrainWait({ clock, isLeaving: () => isLeaving, drained: drained.promise })
  const ask = () => {
    const request = new FakeRequest()
    let isOver = false
    void wait.over(request as unknown as GatewayRequest).then(() => (isOver = true)) // nothing else of it is used
    return { leave: () => request.leave(), isOver: () => isOver }
  }
  return { clock, ask, begin: () => void (isLeaving = true), end: drained.resolve }
}

describe('DrainWait', () => {
  it('lasts until the instance is drained, however long that takes', async () => {
    const { clock, ask, begin, end } = start()
    const early = ask()
    begin()
    const late = ask()

    await clock.advance(3_600_000)
    expect([early.isOver(), late.isOver()]).toEqual([false, false])
    end()
    await clock.advance(0)

    expect([early.isOver(), late.isOver()]).toEqual([true, true])
    expect(clock.pending).toBe(0)
  })

  it('is over at once when the instance is drained', async () => {
    const { clock, ask, begin, end } = start()
    begin()
    end()
    await clock.advance(0)
    const { isOver } = ask()
    await clock.advance(0)

    expect(isOver()).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('gives a drain ten seconds to begin: the function alone may be started again', async () => {
    const { clock, ask } = start()
    const { isOver } = ask()

    await clock.advance(9_999)
    expect(isOver()).toBe(false)
    await clock.advance(1)

    expect(isOver()).toBe(true)
  })

  it('ends with its client, and leaves nothing behind', async () => {
    const { clock, ask } = start()
    const { leave } = ask()

    leave()
    await clock.advance(0)

    expect(clock.pending).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { Reservations } from '../../../../sidecar/inbound/reservations.ts'
import { Slots } from '../../../../sidecar/inbound/slots.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function start() {
  const clock = new FakeClock()
  const slots = new Slots(1)
  slots.setOpen(true)
  slots.tryTake()
  return { clock, slots, reservations: new Reservations({ slots, clock, random: () => 0.5 }) }
}

describe('Reservations', () => {
  it('keep a slot for 500 ms, and give it back then', async () => {
    const { clock, slots, reservations } = start()
    const token = reservations.make()

    await clock.advance(499)
    const before = slots.tryTake()
    await clock.advance(1)
    const after = slots.tryTake()

    expect([before, after]).toEqual([false, true])
    expect(reservations.redeem(token)).toBe(false)
    expect(reservations.counts).toEqual({ open: 0, made: 1, expired: 1 })
  })

  it('are taken over once, and the slot with them', async () => {
    const { clock, slots, reservations } = start()
    const token = reservations.make()

    const redeemed = [reservations.redeem(token), reservations.redeem(token), reservations.giveBack(token)]
    await clock.advance(1000)

    expect(redeemed).toEqual([true, false, false])
    expect(slots.tryTake()).toBe(false)
    expect(reservations.counts).toEqual({ open: 0, made: 1, expired: 0 })
    expect(clock.pending).toBe(0)
  })

  it('have tokens of their own, although chance repeats itself', () => {
    const { reservations } = start()

    const tokens = Array.from({ length: 1000 }, () => reservations.make())

    expect(new Set(tokens).size).toBe(1000)
    expect(tokens.every((token) => /^[-\w]+$/.test(token))).toBe(true)
  })
})

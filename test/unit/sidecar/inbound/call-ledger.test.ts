import { describe, expect, it } from 'vitest'
import { CallLedger } from '../../../../sidecar/inbound/call-ledger.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

describe('CallLedger', () => {
  it('says for how long nothing has happened, 0 while a call is in flight', async () => {
    const clock = new FakeClock()
    const ledger = new CallLedger(clock)
    const idle: number[] = []
    const look = async (): Promise<void> => {
      await clock.advance(1000)
      idle.push(ledger.load(0).idleForMs)
    }

    await look()
    ledger.began()
    ledger.began()
    await look()
    ledger.ended()
    await look()
    ledger.ended()
    await look()
    await look()

    expect(idle).toEqual([1000, 0, 0, 1000, 2000])
  })

  it('tells whoever waits when the last call has ended, or waiting is given up', async () => {
    const ledger = new CallLedger(new FakeClock())
    const giveUp = new AbortController()
    const told: string[] = []
    await ledger.idle(giveUp.signal)
    ledger.began()
    const end = ledger.idle(giveUp.signal).then(() => told.push('end'))
    ledger.ended()
    await end
    ledger.began()
    const given = ledger.idle(giveUp.signal).then(() => told.push('given up'))
    giveUp.abort()
    await given

    expect(told).toEqual(['end', 'given up'])
  })
})

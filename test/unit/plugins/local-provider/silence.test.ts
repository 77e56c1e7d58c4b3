import { describe, expect, it } from 'vitest'
import { Silence } from '../../../../plugins/local-provider/replicas/silence.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function silence(): { readonly clock: FakeClock; readonly measured: Silence; readonly heard: (string | number)[] } {
  const clock = new FakeClock()
  const heard: (string | number)[] = []
  const measured = new Silence(clock, {
    onChange: () => heard.push(measured.isTooLong ? 'silent' : 'speaks'),
    onLost: (silentMs) => heard.push(silentMs),
  })
  return { clock, measured, heard }
}

describe('Silence', () => {
  it('is too long after a lease, until something is heard', async () => {
    const { clock, measured, heard } = silence()
    measured.broken()
    measured.allow(1_000)

    await clock.advance(900)
    measured.broken()
    await clock.advance(900)
    expect(heard).toEqual([])
    await clock.advance(100)
    measured.broken()

    expect(heard).toEqual(['silent', 'speaks'])
  })

  it('is for ever after half a minute, or three leases where they are longer', async () => {
    const brief = silence()
    const long = silence()
    brief.measured.allow(1_000)
    long.measured.allow(20_000)

    await Promise.all([brief.clock.advance(30_000), long.clock.advance(59_999)])
    expect([brief.heard, long.heard]).toEqual([['silent', 30_000], ['silent']])
    await long.clock.advance(1)

    expect(long.heard).toEqual(['silent', 60_000])
  })

  it('is measured no more once it is disposed', async () => {
    const { clock, measured, heard } = silence()
    measured.broken()

    measured[Symbol.dispose]()
    await clock.advance(60_000)

    expect(heard).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import type { InstancePhase, InstanceReport } from '../../../../core/instances/instance-record.ts'
import { instanceSecret } from '../../../../core/instances/instance-secret.ts'
import { readReport } from '../../../../core/instances/signed-report.ts'
import { Announcement } from '../../../../sidecar/membership/announcement.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const key = 'the shared key'
const facts = {
  id: 'one',
  name: 'env',
  namespace: '',
  address: 'fd00::7',
  port: 8080,
  adminPort: 8082,
  secure: false,
  limit: 0,
}

function announcementOf(clock: FakeClock): {
  say: (phase: InstancePhase, inFlight?: number) => InstanceReport
  text: (phase: InstancePhase, inFlight?: number) => string
  leave(): void
} {
  let view = { phase: 'starting' as InstancePhase, load: { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 } }
  const announcement = new Announcement({ clock, secret: instanceSecret(key, facts), facts, view: () => view })
  const text = (phase: InstancePhase, inFlight = 0): string => {
    view = { phase, load: { ...view.load, inFlight } }
    return announcement.text()
  }
  return {
    text,
    say: (phase, inFlight) => readReport(text(phase, inFlight), key, clock.nowMs()),
    leave: () => announcement.leave(),
  }
}

describe('Announcement', () => {
  it('keeps the revision while the record stays, whatever the load is', async () => {
    const clock = new FakeClock()
    const { say } = announcementOf(clock)

    const first = say('ready')
    await clock.advance(3_000)
    const second = say('ready', 2)

    expect(second.record).toEqual(first.record)
    expect(second).toMatchObject({ load: { inFlight: 2 }, sentAtMs: first.sentAtMs + 3_000 })
  })

  it('stamps changes with the time in microseconds', () => {
    const clock = new FakeClock()

    expect(announcementOf(clock).say('starting').record).toEqual({
      ...facts,
      phase: 'starting',
      revision: clock.nowMs() * 1000,
    })
  })

  it('makes every change newer than the last, within a microsecond and with a clock that was set back', () => {
    const clock = new FakeClock()
    const { say } = announcementOf(clock)

    const first = say('starting').record.revision
    const second = say('ready').record.revision
    clock.jumpWallClock(-3_600_000)
    const third = say('unready').record.revision

    expect([second, third]).toEqual([first + 1, first + 2])
  })

  it('sends every report later than the last, also with a clock that was set back', () => {
    const clock = new FakeClock()
    const { say } = announcementOf(clock)

    const first = say('ready').sentAtMs
    clock.jumpWallClock(-50_000)
    const second = say('ready').sentAtMs
    clock.jumpWallClock(60_000)

    expect([second, say('ready').sentAtMs]).toEqual([first + 1, first + 10_000])
  })

  it('believes its clock again that was further ahead than any gateway takes', () => {
    const clock = new FakeClock()
    const { text } = announcementOf(clock)
    clock.jumpWallClock(120_000)
    text('ready')

    clock.jumpWallClock(-120_000)

    expect(readReport(text('ready'), key, clock.nowMs()).sentAtMs).toBe(clock.nowMs())
  })

  it('makes reports of a new start newer than those of the one before', async () => {
    const clock = new FakeClock()
    const before = announcementOf(clock).say('ready').record.revision
    await clock.advance(1)

    expect(announcementOf(clock).say('starting').record.revision).toBeGreaterThan(before)
  })

  it('says that it leaves whatever the instance is doing', () => {
    const announcement = announcementOf(new FakeClock())
    announcement.leave()

    expect(announcement.say('ready').record.phase).toBe('leaving')
  })
})

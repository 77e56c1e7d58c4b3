import { describe, expect, it } from 'vitest'
import { functionIdentity, nothingKnown } from '#core'
import { FleetNews } from '../../../../plugins/system-api/fleet-news.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { ScriptedDirectory } from './scripted-directory.ts'

const echo = functionIdentity('echo', 'fn')

function newsTo(answer: () => Promise<void>) {
  const clock = new FakeClock()
  const log = new FakeLogger()
  const shared = Object.assign(new ScriptedDirectory(), { answer })
  return { clock, log, shared, news: new FleetNews({ clock, log, shared }) }
}

describe('FleetNews', () => {
  it('resolves when all gateways are told', async () => {
    const told = Promise.withResolvers<void>()
    const { clock, log, shared, news } = newsTo(() => told.promise)
    let isOver = false

    const telling = news.forget(echo).then(() => (isOver = true))
    await clock.advance(900)
    expect([isOver, shared.forgotten]).toEqual([false, [echo]])
    told.resolve()
    await telling

    expect([log.lines, clock.pending]).toEqual([[], 0])
  })

  it('passes an observation on as it is', async () => {
    const { shared, news } = newsTo(async () => {})

    await news.observe(nothingKnown(echo))

    expect(shared.observed).toEqual([nothingKnown(echo)])
  })

  it('logs a failure, and resolves', async () => {
    const { clock, log, news } = newsTo(() => Promise.reject(new Error('the store refused')))

    await news.forget(echo)
    await news.observe(nothingKnown(echo))

    expect(log.messages('warn')).toHaveLength(2)
    expect(log.lines[0]?.fields).toMatchObject({ function: 'echo.fn', error: { message: 'the store refused' } })
    expect(clock.pending).toBe(0)
  })

  it('waits no longer than a second, and is deaf to what fails after that', async () => {
    const hung = Promise.withResolvers<void>()
    const { clock, log, news } = newsTo(() => hung.promise)
    const telling = news.forget(echo)

    await clock.advance(1_000)
    await telling
    expect(log.messages('warn')).toHaveLength(1)

    hung.reject(new Error('late'))
    await clock.advance(0)
    expect(log.messages('warn')).toHaveLength(1)
  })
})

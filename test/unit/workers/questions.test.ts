import { describe, expect, it } from 'vitest'
import { answerQuestions, Questions, Unanswered } from '../../../core/workers/questions.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { joinLines } from '../../support/joined-lines.ts'

function asking(topic = 'sums') {
  const clock = new FakeClock()
  const lines = joinLines()
  const questions = new Questions({ line: lines.worker, topic, clock })
  return { ...lines, clock, questions }
}

describe('Questions', () => {
  it('resolve with the answers, in whatever order these come', async () => {
    const { questions, supervisor } = asking()
    const first = Promise.withResolvers<string>()
    answerQuestions(supervisor, 'sums', (body) => (body === 'first' ? first.promise : 'second answered'))
    const order: unknown[] = []

    const asked = ['first', 'second'].map((body) => questions.ask(body, 1_000).then((answer) => order.push(answer)))
    await asked[1]
    first.resolve('first answered')
    await Promise.all(asked)

    expect(order).toEqual(['second answered', 'first answered'])
  })

  it('resolve with nothing when nothing is the answer', async () => {
    const { questions, supervisor } = asking()
    answerQuestions(supervisor, 'sums', () => {})

    expect(await questions.ask('anything', 1_000)).toBeUndefined()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such sum')
      },
    ],
    ['rejects with', () => Promise.reject(new Error('no such sum'))],
  ])('reject with the message of what the other side %s', async (_how, answer) => {
    const { questions, supervisor } = asking()
    answerQuestions(supervisor, 'sums', answer)

    const error: unknown = await questions.ask('which', 1_000).catch((reason: unknown) => reason)

    expect(error).toEqual(new Error('no such sum'))
    expect(error).not.toBeInstanceOf(Unanswered)
  })

  it('reach who answers their topic, and nobody else', async () => {
    const { questions, supervisor, worker, clock } = asking()
    const others = new Questions({ line: worker, topic: 'products', clock })
    answerQuestions(supervisor, 'sums', () => 'a sum')
    answerQuestions(supervisor, 'products', () => 'a product')

    expect(await Promise.all([questions.ask(1, 1_000), others.ask(1, 1_000)])).toEqual(['a sum', 'a product'])
  })

  it('reject when the time limit has passed, and drop an answer that is late', async () => {
    const { questions, supervisor, clock } = asking()
    answerQuestions(supervisor, 'sums', (body) => body)
    supervisor.stall()
    const late = questions.ask('late', 1_000).catch((error: unknown) => error)

    await clock.advance(999)
    expect(await Promise.race([late, 'still waiting'])).toBe('still waiting')
    await clock.advance(1)

    expect(await late).toMatchObject({ isGone: false, message: 'no answer to "sums" within 1000 ms' })
    supervisor.resume()
    expect(await questions.ask('next', 1_000)).toBe('next')
    expect(clock.pending).toBe(0)
  })

  it('take an answer that lay there already when a stall of their own process ended', async () => {
    const { questions, supervisor, worker, clock } = asking()
    answerQuestions(supervisor, 'sums', (body) => body)
    worker.stall()
    const after = clock.after.bind(clock)
    // In a turn of the event loop timers come first, messages second.
    clock.after = (delayMs, ring) =>
      after(delayMs, () => {
        ring()
        worker.resume()
      })

    const answer = questions.ask('in time', 1_000)
    await clock.advance(1_000)

    expect(await answer).toBe('in time')
  })

  it('reject at once when the other side is gone, and from then on', async () => {
    const { questions, supervisor, clock, cut } = asking()
    supervisor.stall()
    const underWay = questions.ask('under way', 1_000).catch((error: unknown) => error)

    cut()

    expect(await underWay).toMatchObject({ isGone: true, message: 'the other process is gone' })
    await expect(questions.ask('later', 1_000)).rejects.toMatchObject({ isGone: true })
    expect(clock.pending).toBe(0)
  })

  it('reject when the other side was gone before', async () => {
    const { worker, clock, cut } = asking()
    cut()

    const questions = new Questions({ line: worker, topic: 'sums', clock })

    await expect(questions.ask('anything', 1_000)).rejects.toThrow('the other process is gone')
  })

  it('wait for nothing, and listen to nothing, once they are disposed', async () => {
    const { questions, worker, supervisor, clock } = asking()
    supervisor.stall()
    const underWay = questions.ask('under way', 1_000).catch((error: unknown) => error)

    questions[Symbol.dispose]()

    expect(await underWay).toBeInstanceOf(Unanswered)
    await expect(questions.ask('later', 1_000)).rejects.toThrow('no answer is waited for any more')
    expect({ alarms: clock.pending, listeners: worker.listeners }).toEqual({ alarms: 0, listeners: 0 })
  })

  it('are not answered any more when the other side stops answering', async () => {
    const { questions, supervisor, clock } = asking()
    const answering = answerQuestions(supervisor, 'sums', (body) => body)
    await questions.ask('before', 1_000)
    answering[Symbol.dispose]()

    const unanswered = questions.ask('after', 1_000).catch((error: unknown) => error)
    await clock.advance(1_000)

    expect(await unanswered).toBeInstanceOf(Unanswered)
  })
})

import type { Clock } from '../time/clock.ts'
import type { Line } from './line.ts'

interface Question {
  readonly id: number
  readonly body: unknown
}

type Answer = { readonly id: number; readonly body: unknown } | { readonly id: number; readonly failure: string }

interface Asked {
  readonly resolve: (body: unknown) => void
  readonly reject: (reason: Error) => void
  readonly limit: Disposable
}

/** Thrown when a question has no answer; whether it took effect is unknown then. */
export class Unanswered extends Error {
  /** Whether the other side is gone, or not asked any more; else it did not answer in time. */
  readonly isGone: boolean

  constructor(message: string, { isGone }: { readonly isGone: boolean }) {
    super(message)
    this.isGone = isGone
  }
}

/** Asks the other side of a line, and waits for its answer. */
export class Questions implements Disposable {
  readonly #deps: { readonly line: Line; readonly topic: string; readonly clock: Clock }
  readonly #asked = new Map<number, Asked>()
  readonly #listening: Disposable[]
  #lastId = 0
  /** Why no question is asked any more. */
  #closed: string | undefined

  /** @param deps.topic the topic that the other side answers by {@link answerQuestions} */
  constructor(deps: { line: Line; topic: string; clock: Clock }) {
    this.#deps = deps
    this.#listening = [
      deps.line.receive(answersTo(deps.topic), (answer) => this.#hear(answer as Answer)), // the other side is this program
      deps.line.onClosed(() => this.#close('the other process is gone')),
    ]
  }

  /**
   * Resolves with the answer. A stall of this process does not count against the other side: an answer that has arrived by the
   * end of the stall is taken.
   *
   * @throws Unanswered when there is no answer within `timeoutMs` or the other side is gone; else Error with the message of what
   *   the other side threw
   */
  ask(body: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(new Unanswered(this.#closed, { isGone: true }))
        return
      }
      const id = (this.#lastId += 1)
      // After a stall timers fire before messages are read; an immediate runs after both.
      const limit = this.#deps.clock.after(timeoutMs, () => void setImmediate(() => this.#giveUp(id, timeoutMs)))
      this.#asked.set(id, { resolve, reject, limit })
      this.#deps.line.send(this.#deps.topic, { id, body } satisfies Question)
    })
  }

  [Symbol.dispose](): void {
    for (const listening of this.#listening) listening[Symbol.dispose]()
    this.#close('no answer is waited for any more')
  }

  #hear(answer: Answer): void {
    const asked = this.#asked.get(answer.id)
    if (asked === undefined) return
    this.#asked.delete(answer.id)
    asked.limit[Symbol.dispose]()
    if ('failure' in answer) asked.reject(new Error(answer.failure))
    else asked.resolve(answer.body)
  }

  #giveUp(id: number, timeoutMs: number): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    asked?.reject(new Unanswered(`no answer to "${this.#deps.topic}" within ${timeoutMs} ms`, { isGone: false }))
  }

  #close(reason: string): void {
    this.#closed ??= reason
    for (const { limit, reject } of this.#asked.values()) {
      limit[Symbol.dispose]()
      reject(new Unanswered(reason, { isGone: true }))
    }
    this.#asked.clear()
  }
}

/** Answers what the other side asks by {@link Questions}; what `answer` throws goes to who asked, without its cause. */
export function answerQuestions(line: Line, topic: string, answer: (body: unknown) => unknown): Disposable {
  return line.receive(topic, (message) => {
    const { id, body } = message as Question // the other side is this program
    void reply(body).then((given) => line.send(answersTo(topic), { id, ...given }))
  })

  async function reply(body: unknown): Promise<{ body: unknown } | { failure: string }> {
    try {
      return { body: await answer(body) }
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) }
    }
  }
}

function answersTo(topic: string): string {
  return `${topic}:answer`
}

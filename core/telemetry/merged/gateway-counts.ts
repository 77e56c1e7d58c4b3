import type { Clock } from '../../time/clock.ts'
import type { Line } from '../../workers/line.ts'
import { Questions } from '../../workers/questions.ts'
import type { InvocationCounts } from '../invocation-counts.ts'
import { countsTopic, isRecord } from './series-message.ts'

const timeoutMs = 1_000

/**
 * Asks the supervisor how often all workers have seen functions called; a worker whose supervisor does not say within a second
 * tells its own counts.
 *
 * Concurrency: callers that ask at the same time share one question.
 */
export class GatewayCounts implements InvocationCounts, Disposable {
  readonly #own: InvocationCounts
  readonly #questions: Questions
  #asked: Promise<ReadonlyMap<string, number>> | undefined

  constructor(deps: { line: Line; clock: Clock; own: InvocationCounts }) {
    this.#own = deps.own
    this.#questions = new Questions({ ...deps, topic: countsTopic })
  }

  totals(): Promise<ReadonlyMap<string, number>> {
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined
    })
    return this.#asked
  }

  [Symbol.dispose](): void {
    this.#questions[Symbol.dispose]()
  }

  async #ask(): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#questions.ask(undefined, timeoutMs).catch(() => undefined)
    return decodeCounts(answer) ?? this.#own.totals()
  }
}

function decodeCounts(answer: unknown): ReadonlyMap<string, number> | undefined {
  if (!isRecord(answer)) return undefined
  const { names, counts } = answer
  if (!Array.isArray(names) || !(counts instanceof Float64Array) || names.length !== counts.length) return undefined
  return new Map(names.map((name, index) => [String(name), counts[index] ?? 0]))
}

import type { Ending } from './soak-kind.ts'

/** What became of the acts of one kind. */
export interface KindCounts {
  readonly begun: number
  readonly right: number
  readonly excused: number
  /** What was wrong, in words, the first few. */
  readonly wrong: readonly string[]
  readonly wrongCount: number
}

/** Of what is wrong with a kind, so much is told. */
const mostTold = 5

class Counts implements KindCounts {
  begun = 0
  right = 0
  excused = 0
  wrongCount = 0
  readonly wrong: string[] = []
}

/** Counts every act of every kind: none may begin without an end. */
export class SoakTally {
  readonly #kinds = new Map<string, Counts>()

  /** An act begins. Call what is returned when it has ended. */
  begin(kind: string): (ending: Ending) => void {
    const counts = this.#of(kind)
    counts.begun += 1
    return ({ wrong, excused }) => {
      if (wrong !== undefined) {
        counts.wrongCount += 1
        if (counts.wrong.length < mostTold) counts.wrong.push(wrong)
      } else if (excused === undefined) {
        counts.right += 1
      } else {
        counts.excused += 1
      }
    }
  }

  /** By the name of the kind. */
  get kinds(): ReadonlyMap<string, KindCounts> {
    return this.#kinds
  }

  /** Acts begun so far, of all kinds. */
  get acts(): number {
    return [...this.#kinds.values()].reduce((sum, { begun }) => sum + begun, 0)
  }

  #of(kind: string): Counts {
    const counts = this.#kinds.get(kind) ?? new Counts()
    this.#kinds.set(kind, counts)
    return counts
  }
}

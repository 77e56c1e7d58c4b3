import type { Logger } from '#core/lean'
import type { Outcome } from './outcome.ts'

/** Failures in a row before one is worth a line: a gateway may be about to start, and one of a kept connection is nothing. */
const worthSaying = 2

/** Says what is wrong with a gateway once, and once that it is over; a refusal with its remedy. */
export class TroubleLog {
  readonly #log: Logger
  readonly #said = new Set<string>()
  #failures = 0

  constructor(log: Logger) {
    this.#log = log
  }

  /** Looks at what became of a report. */
  note(outcome: Outcome): void {
    switch (outcome.kind) {
      case 'taken':
        if (this.#said.size > 0) this.#log.info('the gateway takes reports of this instance again')
        this.#said.clear()
        this.#failures = 0
        return
      case 'refused':
        this.#say(
          String(outcome.status),
          `the gateway refuses reports of this instance (${outcome.status}): ${outcome.remedy}`,
        )
        return
      case 'failed':
        this.#failures += 1
        if (this.#failures >= worthSaying)
          this.#say('away', `the gateway cannot be told of this instance: ${outcome.reason}`)
    }
  }

  #say(what: string, message: string): void {
    if (this.#said.has(what)) return
    this.#said.add(what)
    this.#log.warn(message)
  }
}

import type { Logger } from '#core'

/** One thing that failed. */
export interface Failure {
  /** What it was about; empty when there is only one such thing. */
  readonly subject: string
  readonly error: unknown
}

/** Logs once that something fails, again when it fails in another way, and once when it works again. */
export class FailureReport {
  readonly #log: Logger
  readonly #messages: { readonly failing: string; readonly working: string }
  #failure = ''

  constructor(log: Logger, messages: { readonly failing: string; readonly working: string }) {
    this.#log = log
    this.#messages = messages
  }

  /** Takes note of all that failed in one round. */
  note(failures: readonly Failure[]): void {
    const failure = failures.map(({ subject, error }) => `${subject}: ${textOf(error)}`).join('; ')
    if (failure === this.#failure) return
    this.#failure = failure
    if (failure === '') this.#log.info(this.#messages.working)
    else this.#log.warn(this.#messages.failing, { failure, error: failures[0]?.error })
  }

  /** Starts over, as if nothing had failed so far. */
  reset(): void {
    this.#failure = ''
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

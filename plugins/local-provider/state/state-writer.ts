import type { Logger } from '#core'
import { Refusal } from '../refusal.ts'
import type { StateFile, StoredState } from './state-file.ts'

/** Writes the state after changes: one write at a time, many changes in one write. */
export class StateWriter {
  readonly #file: StateFile
  readonly #snapshot: () => StoredState
  readonly #log: Logger
  #writing: Promise<void> | undefined
  #following: Promise<void> | undefined

  constructor(deps: { file: StateFile; snapshot: () => StoredState; log: Logger }) {
    this.#file = deps.file
    this.#snapshot = deps.snapshot
    this.#log = deps.log
  }

  /**
   * Stores everything that has changed until now.
   * @throws Refusal 500 when it could not be written, which is logged; what was changed holds until the end of this run
   */
  save(): Promise<void> {
    // A write that has begun may have missed the change: another one follows it, for everybody who asks meanwhile.
    if (this.#writing === undefined) return this.#write()
    this.#following ??= this.#writing.catch(() => {}).then(() => this.#write())
    return this.#following
  }

  /** Stores in the background. */
  saveLater(): void {
    this.save().catch(() => {}) // logged where it failed
  }

  /** Resolves when no write is under way. Never rejects. */
  async settled(): Promise<void> {
    await (this.#following ?? this.#writing)?.catch(() => {})
  }

  #write(): Promise<void> {
    this.#following = undefined
    const writing = this.#file
      .save(this.#snapshot())
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => {
        if (this.#writing === writing) this.#writing = undefined
      })
    this.#writing = writing
    return writing
  }

  #refuse(error: unknown): never {
    const problem = error instanceof Error ? error.message : String(error)
    this.#log.error('the state of the local provider could not be stored', { problem })
    throw new Refusal(
      500,
      'the change was made, but could not be stored and will be lost at the next start; the log says why',
    )
  }
}

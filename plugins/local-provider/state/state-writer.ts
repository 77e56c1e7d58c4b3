import type { Logger } from '#core'
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
   * @throws Error when it could not be written
   */
  save(): Promise<void> {
    // A write that has begun may have missed the change: another one follows it, for everybody who asks meanwhile.
    if (this.#writing === undefined) return this.#write()
    this.#following ??= this.#writing.catch(() => {}).then(() => this.#write())
    return this.#following
  }

  /** Stores in the background; a failure is logged. */
  saveLater(): void {
    this.save().catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error)
      this.#log.error('the state of the local provider could not be stored', { problem })
    })
  }

  /** Resolves when no write is under way. Never rejects. */
  async settled(): Promise<void> {
    await (this.#following ?? this.#writing)?.catch(() => {})
  }

  #write(): Promise<void> {
    this.#following = undefined
    const writing = this.#file.save(this.#snapshot()).finally(() => {
      if (this.#writing === writing) this.#writing = undefined
    })
    this.#writing = writing
    return writing
  }
}

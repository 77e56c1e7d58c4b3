import { readFileSync, renameSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { z } from 'zod'
import type { Clock, Logger } from '#core'
import { storedFunctionSchema } from '../functions/stored-function.ts'
import { namespaceSchema } from './namespace.ts'

const schema = z.object({
  version: z.literal(1),
  namespaces: z.array(namespaceSchema),
  functions: z.array(storedFunctionSchema),
})

/** What outlives the gateway. */
export type StoredState = z.infer<typeof schema>

const empty: StoredState = { version: 1, namespaces: [], functions: [] }

/** Reads and writes the state as one JSON file. A write replaces the whole file, so that a crash leaves the old or the new. */
export class StateFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #log: Logger

  constructor(path: string, deps: { clock: Clock; log: Logger }) {
    this.#path = path
    this.#clock = deps.clock
    this.#log = deps.log
  }

  /** Returns what was stored; nothing when there is no file. A damaged one is moved aside and logged. */
  load(): StoredState {
    let text: string
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return empty
      throw error
    }
    try {
      return schema.parse(JSON.parse(text))
    } catch (error) {
      this.#moveAside(error)
      return empty
    }
  }

  /** @throws Error when it cannot be written; then the old state stands */
  async save(state: StoredState): Promise<void> {
    const draft = `${this.#path}.new`
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(state, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, this.#path)
  }

  #moveAside(error: unknown): void {
    const aside = `${this.#path}.damaged-${Math.floor(this.#clock.nowMs())}`
    renameSync(this.#path, aside)
    const problem = error instanceof Error ? error.message : String(error)
    this.#log.error('the stored state is damaged: it was moved aside, and no function is restored', { aside, problem })
  }
}

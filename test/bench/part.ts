import type { Plans } from './plans.ts'

/** Takes the next lines of the report. */
export type Say = (text: string) => void

/** What `--only` can ask for. */
export interface Part {
  readonly name: string
  /** Whether a run without `--only` has it; the others take minutes of full load, or interest few. */
  readonly isUsual: boolean
  /** @throws PartLeftOut when this machine lacks what it needs */
  readonly run: (plans: Plans, say: Say) => Promise<void>
}

/** A part cannot be measured here; the message says what is missing. */
export class PartLeftOut extends Error {}

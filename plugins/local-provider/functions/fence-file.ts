import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '#core'

/** Microseconds of the epoch reach it in the year 2112; numbers up to twice as large are exact, so that larger fences can follow. */
const largestFence = 2 ** 52

/** Keeps the newest fence of one function. */
export interface FenceStore {
  /** Returns it; 0 when there is none. */
  read(): number
  /** Never throws. */
  write(fence: number): void
}

/**
 * A fence in a file of its own, which is replaced as a whole. It is there before `write` returns, so that a process that is
 * killed after its answer has not forgotten what it accepted; that a crash of the machine may lose it costs nothing, for
 * the function's processes are lost with it.
 */
export class FenceFile implements FenceStore {
  readonly #path: string
  readonly #log: Logger

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  read(): number {
    let text: string
    try {
      text = readFileSync(this.#path, 'latin1').trim()
    } catch {
      return 0 // the function was never scaled with a fence
    }
    const fence = parseFence(text)
    if (fence === undefined) this.#log.warn('a stored fence is damaged: any fence is accepted', { file: this.#path })
    return fence ?? 0
  }

  write(fence: number): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      writeFileSync(`${this.#path}.new`, `${fence}\n`, { mode: 0o600 })
      renameSync(`${this.#path}.new`, this.#path)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      this.#log.error('a fence could not be stored: it holds until the end of this run', { problem })
    }
  }
}

/** Reads a fence, a whole number from 0 to 2^52; undefined for any other text. */
export function parseFence(text: string): number | undefined {
  const fence = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return fence <= largestFence ? fence : undefined
}

import type { Clock } from '#core/lean'
import { fetchText } from './fetch-text.ts'
import { PageFilter } from './page-filter.ts'
import { ownPrefix } from './process-series.ts'

/** The function's part of the page. */
export interface FunctionPart {
  /** Whether the function gave a page. */
  readonly isThere: boolean
  /** Complete lines. */
  readonly text: string
}

const timeoutMs = 3_000
const maxBytes = 4 * 1024 * 1024
/** Lines that are looked at before somebody else has a turn. */
const linesPerTurn = 1_000
const headers = { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'identity' }

/**
 * Reads the function's own page of metrics. One that is late, too large or no page at all costs only itself: in its place stands a comment
 * that says why. Callers that ask at the same time share one reading.
 */
export class FunctionPage {
  readonly #clock: Clock
  readonly #where: () => URL | undefined
  #reading: Promise<FunctionPart> | undefined

  /** @param deps.where the page is now; undefined while there is none */
  constructor(deps: { clock: Clock; where: () => URL | undefined }) {
    this.#clock = deps.clock
    this.#where = deps.where
  }

  /** Reads the page. Never rejects. */
  read(): Promise<FunctionPart> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<FunctionPart> {
    const url = this.#where()
    if (url === undefined) return missing('the function has no server now')
    try {
      return await this.#filtered(await fetchText(this.#clock, { url, headers, timeoutMs, maxBytes }))
    } catch (error) {
      return missing(error instanceof Error ? error.message : String(error))
    }
  }

  async #filtered(page: string): Promise<FunctionPart> {
    const filter = new PageFilter((name) => name.startsWith(ownPrefix))
    const kept: string[] = []
    let seen = 0
    for (const line of page.split('\n')) {
      const usable = filter.line(line.endsWith('\r') ? line.slice(0, -1) : line)
      if (usable !== undefined) kept.push(usable)
      seen += 1
      if (seen % linesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    if (filter.dropped > 0)
      kept.push(note(`${filter.dropped} lines left out: not in the text format, or of a name that is taken`))
    return { isThere: true, text: kept.map((line) => `${line}\n`).join('') }
  }
}

function missing(why: string): FunctionPart {
  return { isThere: false, text: `${note(why)}\n` }
}

/** A comment, of one line whatever is in it. */
function note(text: string): string {
  return `# the function's own metrics: ${text.replaceAll(/\s+/g, ' ')}`
}

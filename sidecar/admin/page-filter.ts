const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const pair = '[ \\t]*[a-zA-Z_][a-zA-Z0-9_]*[ \\t]*=[ \\t]*"(?:[^"\\\\]|\\\\.)*"[ \\t]*'
const number = '[+-]?(?:\\d+\\.?\\d*(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?|[iI]nf|[nN]a[nN])'
/** A sample; what OpenMetrics writes behind it (an exemplar) is not taken over. */
const sample = new RegExp(
  `^((${metricName})[ \\t]*(?:\\{(?:${pair}(?:,${pair})*,?)?[ \\t]*\\})?[ \\t]+${number})([ \\t]+-?\\d+)?(?:[ \\t]+# .*)?[ \\t]*$`,
)
const description = new RegExp(`^# (HELP|TYPE) (${metricName})(?: (.*))?$`)
const types = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

/** Keeps of a page of metrics what can stand on another one, line by line. */
export class PageFilter {
  readonly #isTaken: (name: string) => boolean
  readonly #described = new Set<string>()
  #dropped = 0

  /** @param isTaken whether series of this name stand on the page already */
  constructor(isTaken: (name: string) => boolean) {
    this.#isTaken = isTaken
  }

  /** Lines left out so far, comments that say nothing to a parser aside. */
  get dropped(): number {
    return this.#dropped
  }

  /**
   * Returns a line as it can stand on the page, or undefined: for what is no line of the text format, which would cost the whole page at
   * Prometheus; for names that are taken; for a second description of a name.
   */
  line(text: string): string | undefined {
    if (text === '') return undefined
    return text.startsWith('#') ? this.#describe(text) : this.#sample(text)
  }

  #sample(text: string): string | undefined {
    const [, measured, name, timestamp = ''] = sample.exec(text) ?? []
    if (measured !== undefined && name !== undefined && !this.#isTaken(name)) return measured + timestamp
    this.#dropped += 1
    return undefined
  }

  #describe(text: string): string | undefined {
    const [, kind, name, value = ''] = description.exec(text) ?? []
    if (kind === undefined || name === undefined || this.#isTaken(name)) return undefined
    if (kind === 'TYPE' && !types.has(value)) return undefined
    const key = `${kind} ${name}`
    if (this.#described.has(key)) return undefined
    this.#described.add(key)
    return text
  }
}

/** One line that a function or its watchdog wrote. */
export interface LogLine {
  /** Name of the replica. */
  readonly instance: string
  /** Wall clock, milliseconds. */
  readonly timestampMs: number
  readonly text: string
}

/** Which lines a reader wants. */
export interface LogSelection {
  readonly instance?: string | undefined
  /** Lines from this instant on; wall clock, milliseconds. */
  readonly sinceMs?: number | undefined
}

/** Share of the text that is counted for the objects around it. */
const lineOverheadBytes = 64

/** The newest lines of one function, bounded in number and in bytes: older ones make room. */
export class LogRing {
  readonly #maxLines: number
  readonly #maxBytes: number
  readonly #lines: (LogLine | undefined)[]
  readonly #listeners = new Set<() => void>()
  #first = 0
  #next = 0
  #bytes = 0
  #closed = false

  constructor(limits: { maxLines: number; maxBytes: number }) {
    this.#maxLines = limits.maxLines
    this.#maxBytes = limits.maxBytes
    this.#lines = Array.from({ length: limits.maxLines })
  }

  /** Number of the line that will be appended next; numbers only grow. */
  get next(): number {
    return this.#next
  }

  /** Whether no further line will come. */
  get isClosed(): boolean {
    return this.#closed
  }

  append(line: LogLine): void {
    if (this.#closed) return
    this.#bytes += sizeOf(line)
    while (this.#first < this.#next && (this.#next - this.#first >= this.#maxLines || this.#bytes > this.#maxBytes)) {
      this.#dropFirst()
    }
    this.#lines[this.#next % this.#maxLines] = line
    this.#next += 1
    this.#tell()
  }

  /**
   * Returns selected lines from number `from` on, at most `max`, and the number to go on from. Lines that had to make room
   * are left out.
   */
  read(
    from: number,
    selection: LogSelection,
    max = Infinity,
  ): { readonly lines: readonly LogLine[]; readonly next: number } {
    const lines: LogLine[] = []
    let at = Math.max(from, this.#first)
    for (; at < this.#next && lines.length < max; at += 1) {
      const line = this.#lines[at % this.#maxLines]
      if (line !== undefined && isSelected(line, selection)) lines.push(line)
    }
    return { lines, next: at }
  }

  /** Number of the first of the last `count` selected lines. */
  startOfTail(count: number, selection: LogSelection): number {
    let wanted = count
    let at = this.#next
    while (wanted > 0 && at > this.#first) {
      at -= 1
      const line = this.#lines[at % this.#maxLines]
      if (line !== undefined && isSelected(line, selection)) wanted -= 1
    }
    return at
  }

  /** Calls `listener` after each append and at the close. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Ends all followers: no line will be appended any more. */
  close(): void {
    this.#closed = true
    this.#tell()
  }

  #dropFirst(): void {
    const slot = this.#first % this.#maxLines
    const dropped = this.#lines[slot]
    if (dropped !== undefined) this.#bytes -= sizeOf(dropped)
    this.#lines[slot] = undefined
    this.#first += 1
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

function isSelected(line: LogLine, { instance, sinceMs }: LogSelection): boolean {
  return (
    (instance === undefined || line.instance === instance) && (sinceMs === undefined || line.timestampMs >= sinceMs)
  )
}

function sizeOf(line: LogLine): number {
  return Buffer.byteLength(line.text) + lineOverheadBytes
}

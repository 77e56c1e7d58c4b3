/** Calls `onLine` for every whole line of a stream that arrives in pieces; empty lines are left out. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(piece: Buffer): void {
    const lines = (this.#rest + piece.toString()).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') this.#onLine(line)
  }
}

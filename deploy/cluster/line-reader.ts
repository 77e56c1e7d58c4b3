import { StringDecoder } from 'node:string_decoder'

/** Longest line; what goes on without an end is cut into such pieces. */
const longestLine = 64 * 1024

/** Calls back for every line of a stream that arrives in pieces; empty lines are left out. */
export class LineReader {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(piece: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#tell(line)
    if (this.#rest.length > longestLine) this.end()
  }

  /** The stream is over: what is left is a line too. */
  end(): void {
    const rest = this.#rest
    this.#rest = ''
    this.#tell(rest)
  }

  #tell(line: string): void {
    if (line !== '') this.#onLine(line)
  }
}

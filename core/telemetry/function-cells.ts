/** The counts of one function that decide how long its series are kept, and where its series are. */
export class FunctionCells {
  readonly name: string
  /** Places of the series of each status. */
  readonly byCode = new Map<number, CodePlaces>()
  /** Places of the series of starts, once there was one. */
  startedAt: StartPlaces | undefined
  started = 0
  ended = 0
  /** Monotonic time at which the function was last seen called or known. */
  wantedAtMs: number
  #seenEnded = 0

  constructor(name: string, wantedAtMs: number) {
    this.name = name
    this.wantedAtMs = wantedAtMs
  }

  /** Whether calls ended since this was last asked, or are under way. */
  wasUsed(): boolean {
    const isUsed = this.ended !== this.#seenEnded || this.started > this.ended
    this.#seenEnded = this.ended
    return isUsed
  }
}

/** Where the series of one function and status are. */
export interface CodePlaces {
  readonly ended: number
  readonly seconds: number
}

/** Where the series of a function's starts are, under both of their names. */
export interface StartPlaces {
  readonly bare: number
  readonly total: number
}

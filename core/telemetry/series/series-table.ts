import { valuesPerSeries, type SeriesFamily, type SeriesSlice } from './series-family.ts'

const firstRoom = 8

/**
 * The series of one family, their numbers in one array: recording allocates nothing, and a copy of some of them is quick. A series
 * is named by its place, where its numbers begin; the place is its own until it is removed.
 */
export class SeriesTable {
  readonly family: SeriesFamily
  /** Numbers of one series. */
  readonly width: number
  readonly #labels: (string | undefined)[] = []
  readonly #free: number[] = []
  #values: Float64Array
  /** The numbers as they were when {@link takeNew} gave them; NaN for series that it never gave. */
  #taken: Float64Array | undefined

  constructor(family: SeriesFamily) {
    this.family = family
    this.width = valuesPerSeries(family)
    this.#values = new Float64Array(firstRoom * this.width)
  }

  /** How many series there are. */
  get size(): number {
    return this.#labels.length - this.#free.length
  }

  /** Where the last place ends; places are multiples of {@link width} below it. */
  get end(): number {
    return this.#labels.length * this.width
  }

  /** The numbers of all series. Another array after {@link add}. */
  get values(): Float64Array {
    return this.#values
  }

  /** Adds a series whose numbers are 0. @returns its place */
  add(labels: string): number {
    const row = this.#free.pop() ?? this.#labels.length
    this.#labels[row] = labels
    if (this.end > this.#values.length) this.#grow()
    return row * this.width
  }

  /** Forgets a series; its place will be another one's. */
  remove(at: number): void {
    const row = at / this.width
    this.#labels[row] = undefined
    this.#free.push(row)
    this.#values.fill(0, at, at + this.width)
    this.#taken?.fill(Number.NaN, at, at + this.width)
  }

  /** Labels of the series at a place, as text; undefined when there is none. */
  labelsAt(at: number): string | undefined {
    return this.#labels[at / this.width]
  }

  /** The places of all series, in their order. */
  *places(): Iterable<number> {
    for (let at = 0; at < this.end; at += this.width) if (this.labelsAt(at) !== undefined) yield at
  }

  /** Adds to a counter. */
  count(at: number, amount: number): void {
    this.#values[at] = (this.#values[at] ?? 0) + amount
  }

  /** Adds all numbers of a series, which begin at `from` in `numbers`. */
  addAll(at: number, numbers: Float64Array, from: number): void {
    for (let i = 0; i < this.width; i += 1) this.count(at + i, numbers[from + i] ?? 0)
  }

  /** Sets a gauge. */
  set(at: number, value: number): void {
    this.#values[at] = value
  }

  /** Adds an observation to a histogram. */
  observe(at: number, value: number): void {
    const { boundaries } = this.family
    const values = this.#values
    let bucket = 0
    while (bucket < boundaries.length && value > (boundaries[bucket] ?? 0)) bucket += 1
    const sumAt = at + boundaries.length + 1
    values[at + bucket] = (values[at + bucket] ?? 0) + 1
    values[sumAt] = (values[sumAt] ?? 0) + value
  }

  /** Copies the series whose places are from `from` to before `to`. */
  slice(from: number, to: number): SeriesSlice {
    const places = this.#placesIn(from, to)
    const values = new Float64Array(places.length * this.width)
    for (const [index, at] of places.entries())
      values.set(this.#values.subarray(at, at + this.width), index * this.width)
    return this.#sliceOf(places, values)
  }

  /**
   * Copies what was added to the series whose places are from `from` to before `to` since they were last taken. Those to which
   * nothing was added are left out, unless they are new.
   */
  takeNew(from: number, to: number): SeriesSlice {
    const taken = (this.#taken ??= new Float64Array(this.#values.length).fill(Number.NaN))
    const places = this.#placesIn(from, to).filter((at) => this.#differs(at, taken))
    const added = new Float64Array(places.length * this.width)
    let next = 0
    for (const at of places) {
      for (let i = at; i < at + this.width; i += 1, next += 1) {
        const [value = 0, before = 0] = [this.#values[i], taken[i]]
        added[next] = Number.isNaN(before) ? value : value - before
        taken[i] = value
      }
    }
    return this.#sliceOf(places, added)
  }

  #sliceOf(places: readonly number[], values: Float64Array): SeriesSlice {
    return { family: this.family, labels: places.map((at) => this.labelsAt(at) ?? ''), values }
  }

  #placesIn(from: number, to: number): number[] {
    const places: number[] = []
    for (let at = from; at < Math.min(to, this.end); at += this.width) {
      if (this.labelsAt(at) !== undefined) places.push(at)
    }
    return places
  }

  #differs(at: number, other: Float64Array): boolean {
    for (let i = at; i < at + this.width; i += 1) if (this.#values[i] !== other[i]) return true
    return false
  }

  #grow(): void {
    this.#values = enlarged(this.#values, 0)
    if (this.#taken !== undefined) this.#taken = enlarged(this.#taken, Number.NaN)
  }
}

function enlarged(values: Float64Array, filling: number): Float64Array {
  const larger = new Float64Array(values.length * 2).fill(filling, values.length)
  larger.set(values)
  return larger
}

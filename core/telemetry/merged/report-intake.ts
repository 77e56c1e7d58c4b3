import type { SeriesTable } from '../series/series-table.ts'
import type { MergedTotals } from './merged-totals.ts'
import { ReportedGauges } from './reported-gauges.ts'
import { decodeSlice, isRecord } from './series-message.ts'

/** Takes in the reports of one process: counts go to the totals of all, what it says of the present stays its own. */
export class ReportIntake {
  readonly #totals: MergedTotals
  readonly #onFault: (fault: string) => void
  readonly #gauges = new ReportedGauges()

  /** @param deps.onFault called with what is wrong with a message, or why some of it is not shown */
  constructor(deps: { totals: MergedTotals; onFault: (fault: string) => void }) {
    this.#totals = deps.totals
    this.#onFault = deps.onFault
  }

  /** What the process said of the present, as its last whole report had it. */
  get gauges(): readonly SeriesTable[] {
    return this.#gauges.tables()
  }

  /** Takes a message, whatever it is. */
  hear(message: unknown): void {
    if (!isRecord(message) || typeof message['report'] !== 'number') {
      this.#onFault('a message is no part of a report')
      return
    }
    const { report } = message
    if (message['slice'] === undefined) {
      this.#gauges.end(report)
      return
    }
    const slice = decodeSlice(message['slice'])
    if (slice === undefined) this.#onFault('a message holds no series')
    else if (!(slice.family.combine === 'add' ? this.#totals.add(slice) : this.#gauges.hear(report, slice)))
      this.#onFault('there are too many series, or different ones under one name')
  }
}

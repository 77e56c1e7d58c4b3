import { setImmediate } from 'node:timers/promises'
import type { SeriesTable } from '../series/series-table.ts'
import type { SeriesMessage } from './series-message.ts'

/** Numbers in one message: copying, sending and adding them up takes well under a millisecond on either side. */
const valuesPerMessage = 4_000
const seriesPerMessage = 500

/**
 * Sends all series of a process, a slice at a time: between two of them other work gets its turn. What is sent of series that
 * add up will not be sent again.
 *
 * @param send must not throw: what it is given is gone
 */
export async function sendReport(
  metrics: { read(): Promise<readonly SeriesTable[]> },
  report: number,
  send: (message: SeriesMessage) => void,
): Promise<void> {
  for (const table of await metrics.read()) {
    const step = Math.min(seriesPerMessage, Math.ceil(valuesPerMessage / table.width)) * table.width
    for (let from = 0; from < table.end; from += step) {
      const isCounted = table.family.combine === 'add'
      const slice = isCounted ? table.takeNew(from, from + step) : table.slice(from, from + step)
      if (slice.labels.length === 0) continue
      send({ report, slice })
      await setImmediate()
    }
  }
  send({ report })
}

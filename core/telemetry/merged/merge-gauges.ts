import { setImmediate } from 'node:timers/promises'
import { isWrittenAlike } from '../prometheus-text.ts'
import { KeyedSeries } from '../series/keyed-series.ts'
import { labelText } from '../series/labels.ts'
import type { Combine } from '../series/series-family.ts'
import type { SeriesTable } from '../series/series-table.ts'

const seriesPerTurn = 2_000
/** An own label `worker` gives way, as Prometheus does it with labels that it sets itself. */
const ownWorkerLabel = /(^|",)worker="/

/** The gauges of one process, which is known by its number on the page. */
export interface GaugesOfProcess {
  readonly worker: number
  readonly tables: readonly SeriesTable[]
}

/**
 * Makes one page's gauges from those of all processes, each as its family says; the first process that has a family decides how.
 * Other work gets its turn in between.
 */
export async function mergeGauges(processes: Iterable<GaugesOfProcess>): Promise<readonly SeriesTable[]> {
  const merged = new Map<string, KeyedSeries>()
  let left = seriesPerTurn
  for (const { worker, tables } of processes) {
    for (const table of tables) {
      const { family } = table
      const into = merged.get(family.name) ?? new KeyedSeries(family)
      merged.set(family.name, into)
      const { combine } = into.table.family
      if (combine === 'add' || !isWrittenAlike(into.table.family, family)) continue
      for (const at of table.places()) {
        combiners[combine](into, worker, { labels: table.labelsAt(at) ?? '', value: table.values[at] ?? 0 })
      }
      left -= table.size
      if (left > 0) continue
      left = seriesPerTurn
      await setImmediate()
    }
  }
  return Array.from(merged.values(), ({ table }) => table)
}

interface Reading {
  readonly labels: string
  readonly value: number
}

type Combiner = (into: KeyedSeries, worker: number, reading: Reading) => void

const combiners: Readonly<Record<Exclude<Combine, 'add'>, Combiner>> = {
  sum: (into, _worker, { labels, value }) => {
    into.table.count(into.find(labels) ?? into.add(labels), value)
  },
  most: (into, _worker, { labels, value }) => {
    const known = into.find(labels)
    if (known === undefined) into.table.set(into.add(labels), value)
    else if (value > (into.table.values[known] ?? 0)) into.table.set(known, value)
  },
  each: (into, worker, { labels, value }) => {
    const others = labels.replace(ownWorkerLabel, '$1exported_worker="')
    const own = labelText('worker', String(worker))
    const text = others === '' ? own : `${own},${others}`
    into.table.set(into.find(text) ?? into.add(text), value)
  },
}

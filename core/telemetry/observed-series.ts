import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import { labelsOf, legalName } from './series/labels.ts'
import type { Combine, SeriesFamily } from './series/series-family.ts'
import { SeriesTable } from './series/series-table.ts'

/** Gauges that do not describe one process. All others get a label of the process they are of, once there are several. */
const shared: Readonly<Record<string, Combine>> = {
  // What all workers are made of is said once.
  pilotlight_build_info: 'most',
  pilotlight_workers_serving: 'most',
  // One worker that leads the feed, or cannot use Redis, is enough to say so of the gateway.
  pilotlight_feed_leader: 'most',
  pilotlight_coordination_degraded: 'most',
  pilotlight_held_requests: 'sum',
}

/** Makes tables of what the SDK read: values that were observed, or that go up and down. What the text format cannot say is left out. */
export function observedSeries(metrics: readonly MetricData[]): readonly SeriesTable[] {
  return metrics.flatMap((data) => {
    if (data.dataPointType !== DataPointType.SUM && data.dataPointType !== DataPointType.GAUGE) return []
    const table = new SeriesTable(familyOf(data))
    for (const { attributes, value } of data.dataPoints) table.set(table.add(labelsOf(attributes)), value)
    return [table]
  })
}

/** Completes the name of a counter. */
export function counterName(name: string): string {
  const legal = legalName(name)
  return legal.endsWith('_total') ? legal : `${legal}_total`
}

function familyOf(data: MetricData): SeriesFamily {
  const { name, description: help } = data.descriptor
  if (data.dataPointType !== DataPointType.SUM) {
    const legal = legalName(name)
    return { name: legal, help, type: 'gauge', boundaries: [], combine: shared[legal] ?? 'each' }
  }
  // An observed counter is read from its process, as the CPU time is: nobody counts it here.
  if (data.isMonotonic) return { name: counterName(name), help, type: 'counter', boundaries: [], combine: 'each' }
  return { name: legalName(name), help, type: 'gauge', boundaries: [], combine: 'sum' }
}

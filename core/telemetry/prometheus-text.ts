import type { Attributes } from '@opentelemetry/api'
import { DataPointType, type DataPoint, type Histogram, type MetricData } from '@opentelemetry/sdk-metrics'
import { setImmediate } from 'node:timers/promises'

/** What a page of metrics is served as. */
export const prometheusTextType = 'text/plain; version=0.0.4; charset=utf-8'

const sliceLength = 128 * 1024

/**
 * Writes metrics in the Prometheus text format 0.0.4, in slices: between two of them other work gets its turn, so that a page of
 * thousands of series does not stall the requests of the gateway. One HELP and one TYPE line per name, whichever meter or
 * source it came from; points of another type under a name already written are left out, as parsers refuse them.
 *
 * A counter's name gets the suffix `_total` where it lacks one, but for `bareCounters`.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class PrometheusText {
  readonly #bareCounters: ReadonlySet<string>
  /** Labels as text, by the object that holds them: the SDK and the sources keep one object per series. */
  readonly #labels = new WeakMap<Attributes, string>()

  constructor(options: { bareCounters: readonly string[] }) {
    this.#bareCounters = new Set(options.bareCounters)
  }

  /** Writes a page; the slices in their order are its bytes. */
  async write(metrics: Iterable<MetricData>): Promise<readonly Uint8Array[]> {
    const slices: Uint8Array[] = []
    let text = ''
    for (const family of this.#families(metrics)) {
      let isFirst = true
      for (const line of this.#lines(family)) {
        if (isFirst) text += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`
        isFirst = false
        text += line
        if (text.length < sliceLength) continue
        slices.push(Buffer.from(text))
        text = ''
        await setImmediate()
      }
    }
    slices.push(Buffer.from(text))
    return slices
  }

  #families(metrics: Iterable<MetricData>): Iterable<Family> {
    const families = new Map<string, Family>()
    for (const data of metrics) {
      const type = typeOf(data)
      if (type === undefined) continue
      const name = this.#nameOf(data, type)
      const family = families.get(name)
      if (family === undefined) families.set(name, { name, type, help: data.descriptor.description, parts: [data] })
      else if (family.type === type) family.parts.push(data)
    }
    return families.values()
  }

  *#lines({ name, parts }: Family): Iterable<string> {
    for (const data of parts) {
      if (data.dataPointType === DataPointType.HISTOGRAM) {
        for (const point of data.dataPoints) yield this.#histogramLines(name, point)
      } else if (data.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) {
        for (const { attributes, value } of data.dataPoints) {
          const labels = this.#labelsOf(attributes)
          yield labels === '' ? `${name} ${number(value)}\n` : `${name}{${labels}} ${number(value)}\n`
        }
      }
    }
  }

  #histogramLines(name: string, { attributes, value }: DataPoint<Histogram>): string {
    const labels = this.#labelsOf(attributes)
    const prefix = labels === '' ? '' : `${labels},`
    const { boundaries, counts } = value.buckets
    let text = ''
    let below = 0
    for (const [index, count] of counts.entries()) {
      below += count
      const bound = boundaries[index]
      text += `${name}_bucket{${prefix}le="${bound === undefined ? '+Inf' : number(bound)}"} ${below}\n`
    }
    const own = labels === '' ? '' : `{${labels}}`
    return `${text}${name}_sum${own} ${number(value.sum ?? 0)}\n${name}_count${own} ${value.count}\n`
  }

  #nameOf({ descriptor }: MetricData, type: Family['type']): string {
    const name = legalName(descriptor.name)
    const isComplete = type !== 'counter' || name.endsWith('_total') || this.#bareCounters.has(name)
    return isComplete ? name : `${name}_total`
  }

  #labelsOf(attributes: Attributes): string {
    const known = this.#labels.get(attributes)
    if (known !== undefined) return known
    const text = Object.entries(attributes)
      .map(([name, value]) => `${legalName(name)}="${escapeLabel(value)}"`)
      .join(',')
    this.#labels.set(attributes, text)
    return text
  }
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly parts: MetricData[]
}

function typeOf(data: MetricData): Family['type'] | undefined {
  switch (data.dataPointType) {
    case DataPointType.SUM:
      return data.isMonotonic ? 'counter' : 'gauge'
    case DataPointType.GAUGE:
      return 'gauge'
    case DataPointType.HISTOGRAM:
      return 'histogram'
    case DataPointType.EXPONENTIAL_HISTOGRAM: // has no form in text
      return undefined
  }
}

function legalName(name: string): string {
  const legal = name.replace(/[^a-zA-Z0-9_]/g, '_')
  return /^[0-9]/.test(legal) ? `_${legal}` : legal
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(value: Attributes[string]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '')
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

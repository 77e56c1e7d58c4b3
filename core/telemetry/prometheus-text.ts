import type { SeriesFamily } from './series/series-family.ts'
import type { SeriesTable } from './series/series-table.ts'

/** What a page of metrics is served as. */
export const prometheusTextType = 'text/plain; version=0.0.4; charset=utf-8'

const sliceLength = 64 * 1024

/**
 * Writes series in the Prometheus text format 0.0.4, in slices that are made as they are asked for, each time anew: a page of
 * thousands of series stalls nobody who asks for the next slice in a later turn of the event loop, and is never in memory as a
 * whole. One HELP and one TYPE line per name, whoever its series come from; series of another type, or with other buckets, than
 * the first ones of their name are left out, as parsers refuse them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText(tables: readonly SeriesTable[]): Iterable<Uint8Array> {
  return { [Symbol.iterator]: () => slicesOf(linesOf(tables)) }
}

function* slicesOf(lines: Iterable<string>): Generator<Uint8Array> {
  let text = ''
  for (const line of lines) {
    text += line
    if (text.length < sliceLength) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

/** Writes the head of each family, and each series. */
function* linesOf(tables: Iterable<SeriesTable>): Iterable<string> {
  for (const [family, parts] of byFamily(tables)) {
    const write = writerOf(family)
    yield headOf(family)
    for (const table of parts) {
      for (const at of table.places()) yield write(table.labelsAt(at) ?? '', table.values, at)
    }
  }
}

/** Writes the lines of the series at a place. */
type SeriesWriter = (labels: string, values: Float64Array, at: number) => string

/** Gathers the tables of each name, those without series left out. */
function byFamily(tables: Iterable<SeriesTable>): ReadonlyMap<SeriesFamily, readonly SeriesTable[]> {
  const first = new Map<string, SeriesFamily>()
  const families = new Map<SeriesFamily, SeriesTable[]>()
  for (const table of tables) {
    if (table.size === 0) continue
    const family = first.get(table.family.name) ?? table.family
    first.set(family.name, family)
    const parts = families.get(family)
    if (parts === undefined) families.set(family, [table])
    else if (isWrittenAlike(family, table.family)) parts.push(table)
  }
  return families
}

/** Whether series of both can stand under one name. */
export function isWrittenAlike(one: SeriesFamily, other: SeriesFamily): boolean {
  return (
    one.type === other.type &&
    one.boundaries.length === other.boundaries.length &&
    one.boundaries.every((bound, index) => bound === other.boundaries[index])
  )
}

function headOf({ name, help, type }: SeriesFamily): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`
}

function writerOf({ name, type, boundaries }: SeriesFamily): SeriesWriter {
  return type === 'histogram' ? histogramWriter(name, boundaries) : valueWriter(name)
}

function valueWriter(name: string): SeriesWriter {
  return (labels, values, at) => {
    const value = numberText(values[at] ?? 0)
    return labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`
  }
}

function histogramWriter(name: string, boundaries: readonly number[]): SeriesWriter {
  const bounds = [...boundaries, Number.POSITIVE_INFINITY].map((bound) => `le="${numberText(bound)}"} `)
  return (labels, values, at) => {
    const open = labels === '' ? `${name}_bucket{` : `${name}_bucket{${labels},`
    const own = labels === '' ? ' ' : `{${labels}} `
    let text = ''
    let count = 0
    for (const [index, bound] of bounds.entries()) {
      count += values[at + index] ?? 0
      text += `${open}${bound}${count}\n`
    }
    return `${text}${name}_sum${own}${numberText(values[at + bounds.length] ?? 0)}\n${name}_count${own}${count}\n`
  }
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

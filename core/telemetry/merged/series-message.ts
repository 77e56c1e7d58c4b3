import { valuesPerSeries, type SeriesFamily, type SeriesSlice } from '../series/series-family.ts'

/** Topic of the question for a report of all series; answered once the report was sent on {@link seriesTopic}. */
export const reportTopic = 'metrics'

/** Topic of the slices of reports, {@link SeriesMessage}. */
export const seriesTopic = 'metrics:series'

/** Topic of a worker's question how often functions were called, over all workers; answered by {@link CountsAnswer}. */
export const countsTopic = 'metrics:counts'

/** A slice of a report: what was added since the last report to series that add up; other series as they stand. */
export interface SeriesMessage {
  /** Grows from one report of a worker to its next. */
  readonly report: number
  /** Absent in the last message of a report. */
  readonly slice?: SeriesSlice
}

/** Ended calls by function, all statuses. */
export interface CountsAnswer {
  readonly names: readonly string[]
  readonly counts: Float64Array
}

const maxSeriesPerSlice = 2_000
const maxBuckets = 200
const maxTextLength = 16 * 1024
const legalName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const legalLabels = /^(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*"(?:,(?!$)|$))*$/

/**
 * Returns a slice as it was sent, or undefined for anything else: what would break the page, or make counts fall, must not come
 * from a process that has gone wrong.
 */
export function decodeSlice(slice: unknown): SeriesSlice | undefined {
  if (!isRecord(slice)) return undefined
  const { family, labels, values } = slice
  if (!isFamily(family) || !isLabels(labels) || !(values instanceof Float64Array)) return undefined
  if (values.length !== labels.length * valuesPerSeries(family)) return undefined
  if (family.combine === 'add' && !values.every((value) => value >= 0 && value < Number.POSITIVE_INFINITY))
    return undefined
  return { family, labels, values }
}

function isFamily(family: unknown): family is SeriesFamily {
  if (!isRecord(family)) return false
  const { name, help, type, boundaries, combine } = family
  return (
    isText(name) &&
    legalName.test(name) &&
    isText(help) &&
    isOneOf(type, ['counter', 'gauge', 'histogram']) &&
    isOneOf(combine, type === 'histogram' ? ['add'] : ['add', 'sum', 'most', 'each']) &&
    isBoundaries(boundaries) &&
    (type === 'histogram' || boundaries.length === 0)
  )
}

function isBoundaries(boundaries: unknown): boundaries is readonly number[] {
  return (
    Array.isArray(boundaries) &&
    boundaries.length <= maxBuckets &&
    boundaries.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > boundaries[index - 1]))
  )
}

function isLabels(labels: unknown): labels is readonly string[] {
  return (
    Array.isArray(labels) &&
    labels.length <= maxSeriesPerSlice &&
    labels.every((text) => isText(text) && legalLabels.test(text))
  )
}

function isText(text: unknown): text is string {
  return typeof text === 'string' && text.length <= maxTextLength
}

function isOneOf(value: unknown, allowed: readonly string[]): boolean {
  return typeof value === 'string' && allowed.includes(value)
}

/** Whether it is an object, whose fields may be anything. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

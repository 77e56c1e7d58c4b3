import { ValueType } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics'

/** Seconds and nanoseconds since the Unix epoch, as the SDK writes instants. */
export type HrTime = [seconds: number, nanoseconds: number]

/** Converts milliseconds since the Unix epoch. */
export function toHrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1000)
  return [seconds, Math.round((epochMs - seconds * 1000) * 1e6)]
}

/** Builds a counter's data. */
export function counterData(name: string, help: string, dataPoints: DataPoint<number>[]): MetricData {
  return { ...described(name, help, ValueType.INT), dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
}

/** Builds a gauge's data. */
export function gaugeData(name: string, help: string, dataPoints: DataPoint<number>[]): MetricData {
  return { ...described(name, help, ValueType.DOUBLE), dataPointType: DataPointType.GAUGE, dataPoints }
}

/** Builds a histogram's data. */
export function histogramData(name: string, help: string, dataPoints: DataPoint<Histogram>[]): MetricData {
  return { ...described(name, help, ValueType.DOUBLE), dataPointType: DataPointType.HISTOGRAM, dataPoints }
}

function described(name: string, description: string, valueType: ValueType) {
  return {
    descriptor: { name, description, unit: '', valueType },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
}

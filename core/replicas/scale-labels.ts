import type { Logger } from '../telemetry/logger.ts'

/** Labels by which a function's owner bounds its scaling (contract of OpenFaaS). */
export const scaleLabels = {
  /** Fewest replicas while the function is in use. */
  min: 'com.openfaas.scale.min',
  /** Most replicas that scaling by alerts may ask for. */
  max: 'com.openfaas.scale.max',
  /** Percent of the maximum added per alert; 0 turns scaling by alerts off. */
  factor: 'com.openfaas.scale.factor',
} as const

/** What the scale labels of one function say. */
export interface ScaleLimits {
  /** Replicas, 0 or more. Default 1. Whoever wakes a function asks for at least 1 all the same. */
  readonly min: number
  /** Replicas, 1 or more. Default 5, no ceiling. */
  readonly max: number
  /** Percent, 0 to 100. Default 10. */
  readonly factor: number
}

const wholeNumber = /^\d{1,9}$/

/**
 * Reads the scale labels. A value that is no whole number in range counts as absent: a typing error in a label must not
 * make a function unreachable.
 *
 * @param log told of ignored values, at level debug because the labels are read with every observation
 */
export function scaleLimits(labels: Readonly<Record<string, string>>, log?: Logger): ScaleLimits {
  const read = (label: string, fallback: number, [least, most]: readonly [number, number]): number => {
    const text = labels[label]
    if (text === undefined) return fallback
    const value = wholeNumber.test(text.trim()) ? Number(text) : -1
    if (value >= least && value <= most) return value
    log?.debug('scale label ignored', { label, value: text, used: fallback })
    return fallback
  }
  return {
    min: read(scaleLabels.min, 1, [0, Infinity]),
    max: read(scaleLabels.max, 5, [1, Infinity]),
    factor: read(scaleLabels.factor, 10, [0, 100]),
  }
}

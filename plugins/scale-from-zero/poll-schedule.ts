import type { ScaleFromZeroOptions } from './options.ts'

/**
 * Returns the pause before the next status call: short at first, then a fixed share of the time the wake has lasted, so
 * that the share of a cold start lost to polling stays the same whether it takes 100 ms or 10 s; up to 10 % shorter at random, so
 * that gateways do not ask in step.
 */
export function pollPauseMs(
  options: Pick<ScaleFromZeroOptions, 'pollFirst' | 'pollGrowthRatio' | 'pollMax'>,
  elapsedMs: number,
  random: () => number,
): number {
  const pause = Math.min(options.pollMax, Math.max(options.pollFirst, elapsedMs * options.pollGrowthRatio))
  return pause * (1 - 0.1 * random())
}

import type { ScaleLimits } from '#core'

/**
 * Returns how many replicas an alert asks for.
 *
 * - firing: `factor` percent of the maximum more, rounded up, up to the maximum; never fewer than there are
 * - resolved: the minimum, at least 1; a function that is at zero stays there
 * - factor 0: as many as there are
 *
 * A minimum above the maximum raises the maximum.
 *
 * @param current replicas wanted so far
 */
export function wantedReplicas(current: number, limits: ScaleLimits, isFiring: boolean): number {
  if (limits.factor === 0) return current
  if (!isFiring) return current === 0 ? 0 : Math.max(1, limits.min)
  const max = Math.max(limits.max, limits.min)
  const step = Math.ceil((max * limits.factor) / 100)
  return Math.max(current, Math.min(current + step, max))
}

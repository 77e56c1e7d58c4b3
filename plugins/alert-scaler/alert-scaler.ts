import { GatewayError, scaleLimits, type FunctionIdentity, type Logger, type ServiceQuery } from '#core'
import type { Alert } from './alert.ts'
import { wantedReplicas } from './wanted-replicas.ts'

/** What scaling by alerts works with. */
export interface AlertScalerDeps {
  readonly query: ServiceQuery
  readonly log: Logger
  /** Functions scaled at the same time. */
  readonly maxParallel: number
}

/** An alert and the function it certainly names. */
type TargetedAlert = Alert & { readonly target: FunctionIdentity }

/**
 * Scales the functions that alerts name. A function that fails does not keep the others; alerts about one function follow
 * each other in their order, so that each sees what the one before asked for.
 */
export class AlertScaler {
  readonly #deps: AlertScalerDeps

  constructor(deps: AlertScalerDeps) {
    this.#deps = deps
  }

  /**
   * Works a notification off.
   * @returns one line per alert that failed, `[index] reason`, in order; safe to show the sender
   * @throws the signal's reason when it aborts
   */
  async scaleAll(alerts: readonly Alert[], signal: AbortSignal): Promise<readonly string[]> {
    const queue = byFunction(alerts).values()
    const failures = new Map<number, string>()
    const work = async (): Promise<void> => {
      for (const group of queue) {
        for (const alert of group) {
          const failure = await this.#scale(alert, signal)
          if (failure !== undefined) failures.set(alert.index, `[${alert.index}] ${failure}`)
        }
      }
    }
    await Promise.all(Array.from({ length: this.#deps.maxParallel }, work))
    return [...failures].toSorted(([one], [other]) => one - other).map(([, line]) => line)
  }

  async #scale({ target, isFiring }: TargetedAlert, signal: AbortSignal): Promise<string | undefined> {
    const { query, log } = this.#deps
    try {
      const status = await query.status(target, signal)
      if (status === undefined) {
        log.debug('alert about an unknown function', { function: target.key })
        return undefined
      }
      const from = status.replicas ?? 0
      const to = wantedReplicas(from, scaleLimits(status.labels ?? {}, log), isFiring)
      if (from === to) return undefined
      await query.scale(target, to, { signal })
      log.info(`[Scale] function=${target.key} ${from} => ${to} by alert`, { function: target.key, isFiring })
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      log.warn('alert could not be followed', { function: target.key, error })
      return GatewayError.from(error).message
    }
  }
}

function byFunction(alerts: readonly Alert[]): Map<string, TargetedAlert[]> {
  const groups = new Map<string, TargetedAlert[]>()
  for (const alert of alerts.filter(hasTarget)) {
    const group = groups.get(alert.target.key)
    if (group === undefined) groups.set(alert.target.key, [alert])
    else group.push(alert)
  }
  return groups
}

function hasTarget(alert: Alert): alert is TargetedAlert {
  return alert.target !== undefined
}

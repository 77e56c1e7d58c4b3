import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionStatus } from '../provider/function-status.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { FunctionPhase, FunctionState } from './function-state.ts'
import { scaleLimits } from './scale-labels.ts'

/** How and when a status was learnt. */
export interface StatusFacts {
  /** Wall clock, milliseconds: when the provider was asked, not when it answered, so that a later observation wins. */
  readonly observedAtMs: number
  /** Fencing token of the lease under which it was asked. Default 0. */
  readonly fence?: number
  /** Told of scale labels that could not be read. */
  readonly log?: Logger
}

const maxReasonLength = 300

/**
 * Turns a provider's status into an observation: `zero` when no replica is wanted, `ready` when one is available, else
 * `waking`. Absent counts are 0 (providers leave zero values out); a provider that gives available replicas only is
 * taken to want as many.
 */
export function stateFromStatus(identity: FunctionIdentity, status: FunctionStatus, facts: StatusFacts): FunctionState {
  const available = status.availableReplicas ?? 0
  const desired = status.replicas ?? available
  const labels = status.labels ?? {}
  const { min, max } = scaleLimits(labels, facts.log)
  const phase = phaseOf(desired, available)
  return {
    identity,
    phase,
    desired,
    available,
    min,
    max,
    fence: facts.fence ?? 0,
    observedAtMs: facts.observedAtMs,
    reason: phase === 'waking' ? reasonIn(status) : '',
    retryAtMs: 0,
    failures: 0,
    labels,
    annotations: status.annotations ?? {},
  }
}

/** Providers that know why replicas do not run say so in an additional field. Cut: clients get to see it. */
function reasonIn(status: FunctionStatus): string {
  const reason = status['reason']
  return typeof reason === 'string' ? reason.slice(0, maxReasonLength) : ''
}

function phaseOf(desired: number, available: number): FunctionPhase {
  // Replicas that still run while none is wanted are being stopped: a call sent there may be cut.
  if (desired === 0) return 'zero'
  return available > 0 ? 'ready' : 'waking'
}

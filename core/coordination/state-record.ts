import { z } from 'zod'
import { functionIdentity } from '../provider/function-identity.ts'
import { isConfirmed, type FunctionState } from '../replicas/function-state.ts'
import type { StateWrite } from './coordination-store.ts'

/** How a state travels: durations instead of instants, because gateways' clocks differ. */
const recordSchema = z.object({
  name: z.string().min(1),
  namespace: z.string(),
  phase: z.enum(['ready', 'waking', 'zero', 'failed', 'absent']),
  desired: z.int().min(0),
  available: z.int().min(0),
  min: z.int().min(0),
  max: z.int().min(0),
  fence: z.int().min(0),
  isObserved: z.boolean(),
  reason: z.string(),
  retryInMs: z.number().min(0),
  failures: z.int().min(0),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
})

/** Until a record is forgotten that says nothing about a function that certainly exists; longer than any lease. */
const unconfirmedExpiryMs = 60_000

/** Makes the record of a state. @param nowMs wall clock of this gateway */
export function toRecord(state: FunctionState, nowMs: number): Omit<StateWrite, 'condition' | 'value'> {
  const { identity, observedAtMs, retryAtMs, ...facts } = state
  const retryInMs = Math.max(0, Math.ceil(retryAtMs - nowMs))
  const isObserved = observedAtMs > 0
  return {
    phase: state.phase,
    retryInMs,
    expiresInMs: isConfirmed(state) ? 0 : Math.max(retryInMs, state.phase === 'absent' ? 1 : unconfirmedExpiryMs),
    body: JSON.stringify({ ...facts, name: identity.name, namespace: identity.namespace, isObserved, retryInMs }),
  }
}

/**
 * Reads a record, made `ageMs` before `nowMs`. What was observed is taken to be observed then.
 * @returns undefined for what is no record of this function: another version's, or garbage
 */
export function fromRecord(
  key: string,
  { body, ageMs }: { readonly body: string; readonly ageMs: number },
  nowMs: number,
): FunctionState | undefined {
  const parsed = recordSchema.safeParse(parseJson(body))
  if (!parsed.success) return undefined
  const { name, namespace, isObserved, retryInMs, ...facts } = parsed.data
  const identity = functionIdentity(name, namespace)
  if (identity.key !== key) return undefined
  const writtenAtMs = nowMs - ageMs
  return {
    ...facts,
    identity,
    observedAtMs: isObserved ? writtenAtMs : 0,
    retryAtMs: retryInMs === 0 ? 0 : writtenAtMs + retryInMs,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

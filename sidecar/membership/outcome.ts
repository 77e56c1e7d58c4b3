/** What a gateway says to a report that it took. */
export interface Receipt {
  /** Milliseconds until it forgets the instance. */
  readonly ttlMs: number
  /** To a departure: other gateways that have taken the instance out, and those that have not said so. */
  readonly acknowledged: number
  readonly silent: number
}

/**
 * What became of a report at one gateway.
 * - `taken`: the gateway acts on it
 * - `refused`: it will not take this one, nor the next, until somebody changes something
 * - `failed`: it could not be asked, or cannot say now
 */
export type Outcome =
  | { readonly kind: 'taken'; readonly receipt: Receipt }
  | { readonly kind: 'refused'; readonly status: number; readonly remedy: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** An answer over HTTP. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** Refusals that do not go away by themselves, with what to do about them. */
const remedies: ReadonlyMap<number, string> = new Map([
  [400, 'the gateway does not understand the report: run the same version on both sides'],
  [
    401,
    'the signature is wrong: give sidecar and gateway the same PILOTLIGHT_INSTANCE_KEY_FILE, or the sidecar the secret that this key yields for its function and PILOTLIGHT_INSTANCE_ID',
  ],
  [
    403,
    "the address of this instance is outside of the gateway's PILOTLIGHT_INSTANCE_NETWORKS: extend them, or set PILOTLIGHT_INSTANCE_ADDRESS",
  ],
  [404, 'no gateway that takes reports answers there: check PILOTLIGHT_GATEWAYS'],
  [
    409,
    'the gateway has a newer report, or its clock and this one are more than a minute apart: check both clocks, and that no other instance has this PILOTLIGHT_INSTANCE_ID',
  ],
  [413, 'the report is too large for the gateway: check the names of function and instance'],
])

/** Judges the answer of a gateway. */
export function outcomeOf({ status, text }: Answer): Outcome {
  const remedy = remedies.get(status)
  if (remedy !== undefined) return { kind: 'refused', status, remedy }
  if (status === 503) return { kind: 'failed', reason: `it answers 503: ${shown(text)}` }
  if (status !== 200) return { kind: 'failed', reason: `it answers ${status}` }
  const receipt = receiptOf(text)
  return receipt === undefined
    ? { kind: 'failed', reason: `it answers 200 with something that is no receipt: ${shown(text)}` }
    : { kind: 'taken', receipt }
}

function receiptOf(text: string): Receipt | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { ttlMs, acknowledged, silent } = parsed as Readonly<Record<string, unknown>> // an object; its members are checked below
  if (!isCount(ttlMs) || ttlMs === 0) return undefined
  return { ttlMs, acknowledged: isCount(acknowledged) ? acknowledged : 0, silent: isCount(silent) ? silent : 0 }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120))
}

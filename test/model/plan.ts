import fc from 'fast-check'

/** Something that happens at one moment of a model, to the gateway or the function with that number. */
export type Happening = { readonly atMs: number } & (
  | { readonly kind: 'call'; readonly gateway: number; readonly fn: number; readonly leavesAfterMs: number | undefined }
  /** `idle`: unless it is being started. */
  | { readonly kind: 'scale to zero' | 'idle'; readonly fn: number }
  | { readonly kind: 'announce'; readonly gateway: number; readonly fn: number }
  | { readonly kind: 'gateway'; readonly trouble: GatewayTrouble; readonly gateway: number; readonly forMs: number }
  | { readonly kind: 'store away'; readonly forMs: number }
  | { readonly kind: 'failover'; readonly forMs: number; readonly lostWrites: number; readonly skewMs: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'redeploy'; readonly fn: number; readonly forMs: number }
  | { readonly kind: 'provider'; readonly mood: ProviderTrouble; readonly forMs: number }
)

/** What may be wrong with one gateway, or with its way to the store, for a while. */
export type GatewayTrouble =
  | 'pause'
  | 'kill'
  | 'break connection'
  | 'interrupt subscription'
  | 'lossy store'
  | 'slow store'

/** What may be wrong with the provider for a while. */
export type ProviderTrouble = 'isDown' | 'isDeaf' | 'isRefusing' | 'isStuck' | 'lossy' | 'slow'

/** Everything that decides how a model runs: the same plan always gives the same run. */
export interface Plan {
  readonly seed: number
  /** Wall clocks of the gateways, milliseconds ahead of the store's. */
  readonly skewsMs: readonly number[]
  /** Longest time that a message takes from one process to another while nothing is wrong. */
  readonly mostDelayMs: number
  /** Longest time from a function's scale call to its readiness. */
  readonly mostReadyMs: number
  /** Whether whoever starts functions announces that they are ready. */
  readonly isAnnounced: boolean
  readonly happenings: readonly Happening[]
}

/** Number of the gateway that was given the last lease when something happens. */
export const leader = -1

/** How long things go wrong for. */
export const troubledMs = 15_000

/** Kinds of trouble that plans may hold. */
export type Trouble =
  | 'gateways'
  | 'overtaken leaders'
  | 'connections'
  | 'store'
  | 'failovers'
  | 'provider'
  | 'deployments'
  | 'false announcements'

/** Which plans to make. */
export interface PlanOptions {
  readonly troubles: readonly Trouble[]
  /** Whether no caller leaves, and no function is stopped while it is being started. Default false. */
  readonly isCalm?: boolean
}

const gateway = fc.nat({ max: 2 })
const troubledGateway = fc.oneof(gateway, fc.constant(leader))
const fn = fc.nat({ max: 1 })
const soonMs = fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 2_500 }))
const forMs = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 6_000 }))

/** One function is stopped and called by several, while something goes wrong. */
function scene({ troubles, isCalm = false }: PlanOptions): fc.Arbitrary<readonly Happening[]> {
  const stays = fc.constant(undefined)
  const leavesAfterMs = isCalm ? stays : fc.oneof(stays, stays, stays, fc.nat({ max: 3_000 }))
  const call = fc.record({ atMs: soonMs, gateway, leavesAfterMs })
  const nothing = fc.constant<Happening[]>([])
  const fault = troubles.map(troubleOf)
  return fc
    .record({
      atMs: fc.nat({ max: troubledMs - 3_000 }),
      fn,
      calls: fc.array(call, { minLength: 1, maxLength: 6, size: 'max' }),
      faults: fault.length === 0 ? nothing : fc.array(fc.oneof(...fault), { maxLength: 3, size: 'max' }),
    })
    .map(({ atMs, fn: called, calls, faults }) => {
      const stop: Happening = { kind: isCalm ? 'idle' : 'scale to zero', atMs: 0, fn: called }
      return [stop, ...calls.map((one) => callOf(called, one)), ...faults].map((one) => moved(one, atMs))
    })
}

function callOf(called: number, one: Omit<Extract<Happening, { kind: 'call' }>, 'kind' | 'fn'>): Happening {
  return { kind: 'call', fn: called, ...one }
}

function moved(happening: Happening, byMs: number): Happening {
  return { ...happening, atMs: happening.atMs + byMs }
}

function troubleOf(trouble: Trouble): fc.Arbitrary<Happening> {
  switch (trouble) {
    case 'gateways':
      return fc.record({
        kind: fc.constant('gateway' as const),
        trouble: fc.constantFrom<GatewayTrouble[]>('pause', 'kill'),
        atMs: soonMs,
        gateway: troubledGateway,
        forMs,
      })
    case 'overtaken leaders':
      return fc.record({
        kind: fc.constant('gateway' as const),
        trouble: fc.constant('pause' as const),
        atMs: fc.nat({ max: 150 }),
        gateway: fc.constant(leader),
        forMs: fc.integer({ min: 1_900, max: 4_000 }),
      })
    case 'connections':
      return fc.record({
        kind: fc.constant('gateway' as const),
        trouble: fc.constantFrom<GatewayTrouble[]>(
          'break connection',
          'interrupt subscription',
          'lossy store',
          'slow store',
        ),
        atMs: soonMs,
        gateway: troubledGateway,
        forMs,
      })
    case 'store':
      return fc.oneof(
        fc.record({ kind: fc.constant('store away' as const), atMs: soonMs, forMs }),
        fc.record({ kind: fc.constant('flush' as const), atMs: soonMs }),
      )
    case 'failovers':
      return failover
    case 'provider':
      return fc.record({
        kind: fc.constant('provider' as const),
        atMs: soonMs,
        mood: fc.constantFrom<ProviderTrouble[]>('isDown', 'isDeaf', 'isRefusing', 'isStuck', 'lossy', 'slow'),
        forMs,
      })
    case 'deployments':
      return fc.record({ kind: fc.constant('redeploy' as const), atMs: soonMs, fn, forMs })
    case 'false announcements':
      return fc.record({ kind: fc.constant('announce' as const), atMs: soonMs, gateway, fn })
  }
}

const failover = fc
  .record({ atMs: soonMs, lostWrites: fc.nat({ max: 6 }), skewMs: fc.integer({ min: -800, max: 800 }), forMs })
  .map(promotion)

/** A replica takes over later than its clock may be behind. */
function promotion(one: { atMs: number; lostWrites: number; skewMs: number; forMs: number }): Happening {
  return { ...one, kind: 'failover', forMs: one.forMs + Math.abs(one.skewMs) + 200 }
}

/** Plans in which functions are stopped and called again, with trouble of the given kinds. */
export function plans(options: PlanOptions): fc.Arbitrary<Plan> {
  return fc.record({
    seed: fc.noShrink(fc.nat()),
    skewsMs: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 3 }),
    mostDelayMs: fc.constantFrom(1, 5, 30),
    mostReadyMs: fc.constantFrom(30, 300, 2_500),
    isAnnounced: fc.boolean(),
    happenings: fc.array(scene(options), { minLength: 1, maxLength: 5, size: 'max' }).map((scenes) => scenes.flat()),
  })
}

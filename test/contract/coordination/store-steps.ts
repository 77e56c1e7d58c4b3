import fc from 'fast-check'

/** A number that a store gave out before: the last one (1), the one before (2) and so on; 0 is none. */
export type Back = number

/** One call of a store by one of its gateways, in terms that mean the same to every store. */
export type Step = { readonly by: number; readonly key: number } & (
  | AcquireStep
  | WriteStep
  | { readonly kind: 'renew' | 'release'; readonly fence: Back }
  | { readonly kind: 'hold role'; readonly isShort: boolean }
  | EntryStep
  | { readonly kind: PlainKind }
)

/** `isShort`: the lease is over before the next step. */
export interface AcquireStep {
  readonly kind: 'acquire'
  readonly knows: Back
  readonly above: 'nothing' | 'the last' | 'the future' | 'no time'
  readonly isShort: boolean
}

/** `isBarred`: no other try is allowed at once. `expires`: the store may forget it. `isShort`: both are over before the next step. */
export interface WriteStep {
  readonly kind: 'write'
  readonly under: 'fence' | 'version'
  readonly value: Back | 'the future'
  readonly phase: string
  readonly isBarred: boolean
  readonly expires: boolean
  readonly isShort: boolean
  readonly body: number
}

/** `isShort`: the entry is over before the next step. */
export interface EntryStep {
  readonly kind: 'put entry' | 'renew entries'
  readonly rank: number
  readonly body: number
  readonly isShort: boolean
}

const plainKinds = [
  'read',
  'forget',
  'add key',
  'remove key',
  'keys',
  'resign role',
  'remove entry',
  'entries',
  'tell',
] as const

/** Steps without anything to choose. */
export type PlainKind = (typeof plainKinds)[number]

const where = { by: fc.nat({ max: 2 }), key: fc.nat({ max: 1 }) }
const back: fc.Arbitrary<Back> = fc.oneof(fc.constant(1), fc.nat({ max: 4 }))
/** Seldom, because it takes time. */
const oneIn = (number: number): fc.Arbitrary<boolean> => fc.nat({ max: number - 1 }).map((one) => one === number - 1)
const isShort = oneIn(60)

const aboves = ['nothing', 'nothing', 'the last', 'the future', 'no time'] as const
const acquire = fc.record({
  kind: fc.constant('acquire' as const),
  ...where,
  knows: back,
  above: fc.constantFrom(...aboves),
  isShort: oneIn(30),
})
const hold = fc.record({ kind: fc.constantFrom('renew' as const, 'release' as const), ...where, fence: back })
const write = fc.record({
  kind: fc.constant('write' as const),
  ...where,
  under: fc.constantFrom('fence' as const, 'version' as const),
  value: fc.oneof({ weight: 6, arbitrary: back }, { weight: 1, arbitrary: fc.constant('the future' as const) }),
  phase: fc.constantFrom('ready', 'waking', 'zero', 'failed', 'absent'),
  isBarred: fc.boolean(),
  expires: fc.boolean(),
  isShort,
  body: fc.nat({ max: 5 }),
})
const role = fc.record({ kind: fc.constant('hold role' as const), ...where, isShort: oneIn(20) })
const entry = fc.record({
  kind: fc.constantFrom('put entry' as const, 'put entry' as const, 'renew entries' as const),
  ...where,
  rank: fc.oneof(fc.nat({ max: 3 }), fc.constant(2 ** 53 - 1)),
  body: fc.nat({ max: 2 }),
  isShort: oneIn(50),
})
const plain = fc.record({ kind: fc.constantFrom(...plainKinds), ...where })

/** Sequences of a few hundred steps. */
export const sequences: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: acquire },
    { weight: 2, arbitrary: hold },
    { weight: 4, arbitrary: write },
    { weight: 1, arbitrary: role },
    { weight: 3, arbitrary: entry },
    { weight: 3, arbitrary: plain },
  ),
  { minLength: 150, maxLength: 250, size: 'max' },
)

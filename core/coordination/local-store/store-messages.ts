import type { CoordinationStore, StoreChange } from '../coordination-store.ts'

/** Topic on which a worker asks; a question is a {@link StoreCall}. */
export const callTopic = 'store:call'

/** Topic on which a worker joins and leaves: {@link Membership}. */
export const membershipTopic = 'store:membership'

/** Topic on which a worker is told: {@link News}. */
export const newsTopic = 'store:news'

/** The methods of the port that are calls. */
export const storeMethods = [
  'acquire',
  'renew',
  'release',
  'write',
  'read',
  'forget',
  'addKey',
  'removeKey',
  'keys',
  'holdRole',
  'resignRole',
  'putEntry',
  'renewEntries',
  'removeEntry',
  'entries',
  'tell',
  'probe',
] as const satisfies readonly (keyof CoordinationStore)[]

/** Name of a call of the port. */
export type StoreMethod = (typeof storeMethods)[number]

/** A call of one method, answered with what the method resolves with. */
export interface StoreCall<M extends StoreMethod = StoreMethod> {
  readonly method: M
  readonly args: Parameters<CoordinationStore[M]>
}

/** What a worker says of itself. */
export type Membership =
  /** Before everything else. */
  | { readonly kind: 'join'; readonly origin: string }
  /** How many changes have arrived so far. */
  | { readonly kind: 'heard'; readonly changes: number }
  | { readonly kind: 'leave' }

/** What a worker is told. */
export type News =
  | StoreChange
  /** The subscription stands from here on; what was published before was not told. */
  | { readonly kind: 'subscribed' }

/** After how many changes a worker says how many have arrived. */
export const changesPerReceipt = 1_000

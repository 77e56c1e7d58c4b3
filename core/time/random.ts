import { token } from '../container/token.ts'

/** A source of numbers from 0 (inclusive) to 1 (exclusive). A port, so that tests choose the jitter. */
export type Random = () => number

/** Token of the {@link Random} source. */
export const Random = token<Random>('Random')

/** The platform's own randomness; good for jitter and sampling, not for secrets. */
export const systemRandom: Random = Math.random

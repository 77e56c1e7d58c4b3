/** Whether the long form was asked for (`npm run test:chaos`); `npm test` runs the short one. */
export const isLong = process.env['PILOTLIGHT_CHAOS'] === 'long'

/** How often the long form repeats what the short one does once. */
export const repeats = isLong ? 4 : 0

/** What the random sequence of faults is made from: `PILOTLIGHT_CHAOS_SEED`, or another number in every run. */
export const seed = wholeNumber('PILOTLIGHT_CHAOS_SEED') ?? Math.floor(Math.random() * 1_000_000)

/** How many faults the sequence has: `PILOTLIGHT_CHAOS_STEPS`. */
export const steps = wholeNumber('PILOTLIGHT_CHAOS_STEPS') ?? (isLong ? 99 : 1)

function wholeNumber(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, got "${text}"`)
  return Number(text)
}

/** Whether the long form was asked for (`npm run test:soak`); `npm test` runs the short one. */
export const isLong = process.env['PILOTLIGHT_SOAK'] === 'long'

/** Load before the first sample: code is compiled, pools and caches fill. */
export const warmUpMs = isLong ? 45_000 : 9_000

/** Load between one sample and the next. */
export const legMs = isLong ? 60_000 : 12_000

/** How many legs a run has. */
export const legs = isLong ? 9 : 3

/** Worker processes of the gateway: `PILOTLIGHT_SOAK_WORKERS`. */
export const workers = wholeNumber('PILOTLIGHT_SOAK_WORKERS') ?? 1

/** Engine of the gateway: `PILOTLIGHT_SOAK_ENGINE`, or what the gateway takes by default. */
export const engine = process.env['PILOTLIGHT_SOAK_ENGINE'] ?? ''

function wholeNumber(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, got "${text}"`)
  return Number(text)
}

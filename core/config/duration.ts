/** Longest duration the platform's timers can wait: 2^31 - 1 ms, 24.8 days. A longer timer would fire at once. */
export const maxDurationMs = 2 ** 31 - 1

const nanosecondsPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n, // micro sign
  '\u03bcs': 1_000n, // Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const nanosecondsPerMillisecond = 1_000_000n
const wholeSeconds = /^\+?\d+$/
const goDuration = /^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const goPart = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g

/**
 * Reads a duration as OpenFaaS does: Go's text (`1m30s`, `1.5h`, `500ms`) or a bare integer of seconds.
 *
 * @returns whole milliseconds, rounded up so that a positive duration never becomes 0, and at most
 * {@link maxDurationMs}; undefined when the text is no duration or is negative
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  if (wholeSeconds.test(text)) return toMilliseconds(BigInt(text.replace('+', '')) * 1_000_000_000n)
  if (!goDuration.test(text)) return undefined
  let nanoseconds = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(goPart)) {
    const perUnit = nanosecondsPerUnit[unit] ?? 0n
    nanoseconds += BigInt(whole || '0') * perUnit
    nanoseconds += (BigInt(fraction || '0') * perUnit) / 10n ** BigInt(fraction.length)
  }
  return toMilliseconds(nanoseconds)
}

/** Writes whole milliseconds as Go does: `90000` is `1m30s`, `1500` is `1.5s`, `5` is `5ms`, `0` is `0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 1000) return `${milliseconds}ms`
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor(milliseconds / 60_000) % 60
  const seconds = (milliseconds % 60_000) / 1000
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}

function toMilliseconds(nanoseconds: bigint): number {
  const milliseconds = Number((nanoseconds + nanosecondsPerMillisecond - 1n) / nanosecondsPerMillisecond)
  return Math.min(milliseconds, maxDurationMs)
}

import { machineMs } from '../../support/machine-clock.ts'

/** What a witness inside of a process saw, and when. */
export interface Stamp {
  readonly event: string
  /** Of the function, or what else tells events of one kind apart. */
  readonly subject: string
  /** Instant of the machine's clock. */
  readonly atMs: number
}

const mark = 'bench-stamp'

/** Writes a stamp, of this moment unless told otherwise, to standard output at once: a line of JSON beside the log. */
export function writeStamp(event: string, subject: string, atMs = machineMs()): void {
  process.stdout.write(`${JSON.stringify({ [mark]: event, subject, atMs })}\n`)
}

/** Reads stamps from decoded lines of a log. */
export function stampsOf(lines: readonly Readonly<Record<string, unknown>>[]): readonly Stamp[] {
  return lines.flatMap(({ [mark]: event, subject, atMs }) =>
    typeof event === 'string' ? [{ event, subject: String(subject), atMs: Number(atMs) }] : [],
  )
}

/** Reads stamps from lines of text, some of which are none. */
export function stampsOfText(lines: readonly string[]): readonly Stamp[] {
  // What else is in the log may be anything, but does not begin like a stamp.
  const found = lines.filter((line) => line.startsWith(`{"${mark}"`))
  return stampsOf(found.map((line) => JSON.parse(line) as Record<string, unknown>)) // written by writeStamp
}

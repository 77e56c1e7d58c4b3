import { type Command, CommanderError } from 'commander'

/** What the process shall do. */
export type Decision<Settings> =
  | { readonly action: 'start'; readonly settings: Settings }
  | { readonly action: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }

/** What was asked for cannot be done; the message says which flag, its value and what it should be. */
export class WrongUsage extends Error {}

/** Has a command line parsed, and what it says turned into settings. */
export function decide<Settings>(
  program: Command,
  argv: readonly string[],
  toSettings: (flags: Command) => Settings,
): Decision<Settings> {
  const output = { stdout: '', stderr: '' }
  program.exitOverride().configureOutput({
    writeOut: (text) => (output.stdout += text),
    writeErr: (text) => (output.stderr += text),
  })
  try {
    program.parse(argv, { from: 'user' })
    return { action: 'start', settings: toSettings(program) }
  } catch (error) {
    if (error instanceof CommanderError) return { action: 'exit', code: error.exitCode === 0 ? 0 : 2, ...output }
    if (error instanceof WrongUsage) return { action: 'exit', code: 2, stdout: '', stderr: `${error.message}\n` }
    throw error
  }
}

/** Reads a whole number. @throws WrongUsage */
export function integerOf(
  flag: string,
  text: string,
  range: { readonly least: number; readonly most: number },
): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= range.least && value <= range.most) return value
  throw new WrongUsage(`${flag}: expected a whole number from ${range.least} to ${range.most}, got "${text}"`)
}

import { readFileSync } from 'node:fs'
import { isServiceLink, parseDuration, toLoggableText } from '#core/lean'

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Why a setting cannot be used. */
export interface SettingFault {
  /** Name of the variable, or what else it was read from. */
  readonly where: string
  /** What is wrong, and what would be right. */
  readonly text: string
}

/** What Go's `strconv.ParseBool` reads, as watchdogs do. */
const flags: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
])

/** Bounds of a number. */
interface Range {
  readonly least: number
  readonly most: number
}

/**
 * Reads texts of the environment as values. A text that cannot be read is noted as a fault and counts as its fallback, so that one pass
 * finds every fault. An empty variable counts as not set, and so does one that Kubernetes sets for a Service.
 */
export class SettingTexts {
  readonly #environment: Environment
  readonly #faults: SettingFault[] = []
  readonly #notices: SettingFault[] = []

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** What was found wrong so far. */
  get faults(): readonly SettingFault[] {
    return this.#faults
  }

  /** What was found that stops nobody: another value is used instead. */
  get notices(): readonly SettingFault[] {
    return this.#notices
  }

  /** Notes a fault, without credentials, and once however often it is found. */
  fault(where: string, reason: string): void {
    note(this.#faults, where, reason)
  }

  /** Notes what is no fault, as {@link fault} does. */
  notice(where: string, reason: string): void {
    note(this.#notices, where, reason)
  }

  /** The text of the first of these variables that is set; empty when none is. */
  text(...names: readonly string[]): string {
    for (const name of names) {
      const text = this.#environment[name]
      if (text !== undefined && text !== '' && !isServiceLink(name, text)) return text
    }
    return ''
  }

  /** A duration in Go's text or whole seconds, as milliseconds. */
  duration(name: string, fallbackMs: number): number {
    const text = this.text(name)
    if (text === '') return fallbackMs
    const milliseconds = parseDuration(text)
    if (milliseconds !== undefined) return milliseconds
    this.fault(name, `expected a duration such as "30s", "1m30s" or an integer of seconds, got ${JSON.stringify(text)}`)
    return fallbackMs
  }

  /** A whole number. */
  count(name: string, fallback: number, { least, most }: Range): number {
    const text = this.text(name)
    if (text === '') return fallback
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    this.fault(name, `expected a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`)
    return fallback
  }

  /** A whole number of any size; beyond the bounds, the nearest within them is used with a notice. */
  nearest(name: string, fallback: number, { least, most }: Range): number {
    const text = this.text(name)
    if (!/^\d+$/.test(text)) return this.count(name, fallback, { least, most })
    const number = Math.min(Math.max(Number(text), least), most)
    if (number !== Number(text)) this.notice(name, `is ${text}; ${number} is used`)
    return number
  }

  /** `true` or `false`, in all forms that Go reads. */
  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name)
    if (text === '') return fallback
    const flag = flags.get(text)
    if (flag === undefined) this.fault(name, `expected "true" or "false", got ${JSON.stringify(text)}`)
    return flag ?? fallback
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    const text = this.text(name)
    const word = words.find((one) => one === text)
    if (text !== '' && word === undefined) {
      this.fault(name, `expected one of ${words.join(', ')}, got ${JSON.stringify(text)}`)
    }
    return word ?? words[0]
  }

  /** A text of a certain form; empty when it is not set. @param form completes "expected ..." */
  matching(name: string, pattern: RegExp, form: string): string {
    const text = this.text(name)
    if (text === '' || pattern.test(text)) return text
    this.fault(name, `expected ${form}, got ${JSON.stringify(text.slice(0, 80))}`)
    return ''
  }

  /** The content of the file that a variable names, without white space around it; empty when it is not set. */
  file(name: string): string {
    const path = this.text(name)
    if (path === '') return ''
    try {
      const content = readFileSync(path, 'utf8').trim()
      if (content === '') this.fault(name, `${path} is empty`)
      return content
    } catch (error) {
      this.fault(name, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return ''
    }
  }

  /** Every variable that is set and has this prefix. */
  names(prefix: string): readonly string[] {
    return Object.keys(this.#environment).filter((name) => name.startsWith(prefix) && this.text(name) !== '')
  }
}

function note(notes: SettingFault[], where: string, reason: string): void {
  const text = toLoggableText(reason)
  const isKnown = notes.some((one) => one.where === where && one.text === text)
  if (!isKnown) notes.push({ where, text })
}

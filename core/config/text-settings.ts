import type { z } from 'zod'
import type { ConfigFault } from './config-fault.ts'
import type { Settings } from './schema.ts'

/** What a source says, and what is wrong with it. A value at fault is left out of the settings. */
export interface ReadSettings {
  readonly settings: Settings
  readonly faults: readonly ConfigFault[]
}

interface TextOf<Key extends keyof Settings> {
  /** The key of the configuration file that it sets. */
  readonly setting: Key
  /** Decodes a text; an undefined result means that it counts as not set. */
  readonly decode: z.ZodType<Settings[Key] | undefined>
}

interface CheckedText {
  /** It sets nothing, or only together with others. */
  readonly setting?: never
  /** Checks a text. */
  readonly decode: z.ZodType
}

/** How a text, from a flag or a variable, becomes a setting: the schema's type is that of the setting. */
export type TextDecoder = { [Key in keyof Settings]-?: TextOf<Key> }[keyof Settings] | CheckedText

/** A text, how to decode it, and where it came from, for messages. */
export interface FoundText {
  readonly where: string
  readonly text: string
  readonly decoder: TextDecoder
}

/** Decodes texts to settings, with all their faults. */
export function decodeTexts(found: readonly FoundText[]): ReadSettings {
  const settings: Record<string, unknown> = {}
  const faults: ConfigFault[] = []
  for (const { where, text, decoder } of found) {
    const result = decoder.decode.safeParse(text)
    if (!result.success) faults.push({ where, text: firstMessage(result.error) })
    else if (decoder.setting !== undefined && result.data !== undefined) settings[decoder.setting] = result.data
  }
  // TextDecoder ties the decoded type to the setting; a loop cannot carry that from one key to the next.
  return { settings, faults }
}

/** The text of a failed decoding; a single value has one issue worth reporting. */
export function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? 'not valid'
}

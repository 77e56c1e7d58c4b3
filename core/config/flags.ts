import { z } from 'zod'
import { baseUrl, integerText, logFormat, logLevel, port } from './schema.ts'
import { decodeTexts, type ReadSettings, type TextDecoder } from './text-settings.ts'

/** A flag of the command line that sets something. */
export type Flag = TextDecoder & {
  /** Without the leading `--`. */
  readonly name: string
  /** The name of its value in the help. */
  readonly placeholder: string
  readonly meaning: string
}

/** The flags that set something, in the order of the help. */
export const flags: readonly Flag[] = [
  { name: 'host', setting: 'host', decode: z.string(), placeholder: 'address', meaning: 'address to listen on' },
  {
    name: 'port',
    setting: 'port',
    decode: integerText.pipe(port),
    placeholder: 'number',
    meaning: 'port of API and functions, 0 takes any free one',
  },
  {
    name: 'metrics-port',
    setting: 'metricsPort',
    decode: integerText.pipe(port),
    placeholder: 'number',
    meaning: 'port of metrics and health, 0 takes any free one',
  },
  {
    name: 'provider-url',
    setting: 'functionsProviderUrl',
    decode: baseUrl,
    placeholder: 'url',
    meaning: 'provider to use instead of the embedded one',
  },
  {
    name: 'log-level',
    setting: 'logLevel',
    decode: logLevel,
    placeholder: 'level',
    meaning: logLevel.options.join(', '),
  },
  {
    name: 'log-format',
    setting: 'logFormat',
    decode: logFormat,
    placeholder: 'format',
    meaning: logFormat.options.join(', '),
  },
]

/** Values of flags by their name; absent ones are not set. */
export type FlagValues = Readonly<Record<string, string | undefined>>

/** Reads the flags that the user gave. */
export function readFlags(values: FlagValues): ReadSettings {
  return decodeTexts(
    flags.flatMap((flag) => {
      const text = values[flag.name]
      return text === undefined ? [] : [{ where: `flag: --${flag.name}`, text, decoder: flag }]
    }),
  )
}

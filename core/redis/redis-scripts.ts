import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The scripts of the folder `scripts`, by file name; each file says what it wants and returns. */
export const scriptNames = [
  'acquire-lease',
  'renew-lease',
  'release-lease',
  'write-state',
  'read-state',
  'forget-state',
  'hold-role',
  'resign-role',
  'put-entry',
  'renew-entries',
  'remove-entry',
  'read-entries',
  'probe',
] as const

/** Name of a script. */
export type ScriptName = (typeof scriptNames)[number]

/** A script as Redis takes it. */
export interface RedisScript {
  readonly source: string
  /** SHA-1 of the source, by which Redis remembers it. */
  readonly digest: string
}

/** Reads all scripts. @throws Error when a file is missing: an incomplete installation */
export function readScripts(): Readonly<Record<ScriptName, RedisScript>> {
  const entries = scriptNames.map((name) => [name, readScript(name)])
  return Object.fromEntries(entries) as Record<ScriptName, RedisScript> // one for each name
}

function readScript(name: ScriptName): RedisScript {
  const source = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8')
  return { source, digest: createHash('sha1').update(source).digest('hex') }
}

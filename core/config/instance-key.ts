import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ConfigFault } from './config-fault.ts'
import { instanceKey } from './schema.ts'

/** The key that sidecars sign with, as a configuration has it. */
export interface ResolvedInstanceKey {
  readonly key: string
  /** Whether nobody but this process and those that it starts can know it. */
  readonly isRandom: boolean
  readonly faults: readonly ConfigFault[]
}

/** One for as long as the process runs: a configuration that is read again must not part it from the workers it has started. */
const randomKey = randomBytes(32).toString('base64url')

/** Takes the key from the setting or from the file; one of its own when there is neither. */
export function resolveInstanceKey(settings: {
  readonly instanceKey?: string
  readonly instanceKeyFile?: string
}): ResolvedInstanceKey {
  const { instanceKey: given, instanceKeyFile: path } = settings
  if (given !== undefined && path !== undefined) return faulty('give the key itself or its file, not both')
  if (path !== undefined) return readKey(path)
  return { key: given ?? randomKey, isRandom: given === undefined, faults: [] }
}

/** Leaves out the line end that editors put behind a key. */
function readKey(path: string): ResolvedInstanceKey {
  try {
    const read = instanceKey.safeParse(readFileSync(path, 'utf8').trim())
    if (read.success) return { key: read.data, isRandom: false, faults: [] }
    return faulty(`${path}: ${read.error.issues[0]?.message ?? 'not valid'}`)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return faulty(`${path} cannot be read (${reason})`)
  }
}

function faulty(text: string): ResolvedInstanceKey {
  return { key: randomKey, isRandom: true, faults: [{ where: 'instanceKeyFile', text }] }
}

import type { StoreChange } from '../coordination/coordination-store.ts'

/**
 * Decodes a message of the channel of changes: a JSON array of texts, as the scripts publish them.
 * @returns undefined for anything else; the channel is open to whoever may publish there
 */
export function toStoreChange(message: string): StoreChange | undefined {
  const [kind, ...rest] = textsIn(message)
  if (kind === 'released') return toReleased(rest)
  return kind === 'state' || kind === 'gone' ? toVersioned(kind, rest) : undefined
}

function toReleased([key, origin, ...more]: readonly string[]): StoreChange | undefined {
  if (key === undefined || origin === undefined || more.length > 0) return undefined
  return { kind: 'released', key, origin }
}

function toVersioned(kind: 'state' | 'gone', texts: readonly string[]): StoreChange | undefined {
  const [key = '', versionText, previousText, origin = '', body = ''] = texts
  const version = toVersion(versionText)
  const previous = toVersion(previousText)
  if (version === undefined || previous === undefined) return undefined
  if (kind === 'gone') return texts.length === 4 ? { kind, key, version, previous, origin } : undefined
  return texts.length === 5 ? { kind, key, version, previous, origin, body } : undefined
}

function textsIn(message: string): readonly string[] {
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch {
    return []
  }
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : []
}

function toVersion(text: string | undefined): number | undefined {
  const version = /^\d+$/.test(text ?? '') ? Number(text) : undefined
  return Number.isSafeInteger(version) ? version : undefined
}

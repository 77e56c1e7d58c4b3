import type { StoreChange } from '../coordination/coordination-store.ts'

/**
 * Decodes a message of the channel of changes: a JSON array of texts, as the scripts publish them.
 * @returns undefined for anything else; the channel is open to whoever may publish there
 */
export function toStoreChange(message: string): StoreChange | undefined {
  const [kind = '', ...rest] = textsIn(message)
  return decoders.get(kind)?.(rest)
}

type Decode = (texts: readonly string[]) => StoreChange | undefined

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['state', (texts) => toVersioned('state', texts)],
  ['gone', (texts) => toVersioned('gone', texts)],
  ['released', toReleased],
  ['entry', toEntry],
  ['renewed', toRenewed],
  ['entry_gone', toEntryGone],
  ['told', toTold],
])

function toEntry([key, origin, rankText, ttlText, body, ...more]: readonly string[]): StoreChange | undefined {
  const [rank, ttlMs] = [toWhole(rankText), toWhole(ttlText)]
  if (key === undefined || origin === undefined || body === undefined || more.length > 0) return undefined
  if (rank === undefined || ttlMs === undefined) return undefined
  return { kind: 'entry', key, origin, rank, ttlMs, body }
}

function toRenewed([origin, ttlText, note, keysText, ...more]: readonly string[]): StoreChange | undefined {
  const ttlMs = toWhole(ttlText)
  if (origin === undefined || note === undefined || keysText === undefined || more.length > 0) return undefined
  if (ttlMs === undefined) return undefined
  return { kind: 'renewed', keys: textsIn(keysText), origin, ttlMs, note }
}

function toEntryGone([key, origin, ...more]: readonly string[]): StoreChange | undefined {
  if (key === undefined || origin === undefined || more.length > 0) return undefined
  return { kind: 'entry_gone', key, origin }
}

/** Decodes what {@link toldMessage} makes. */
function toTold([topic, origin, text, ...more]: readonly string[]): StoreChange | undefined {
  if (topic === undefined || origin === undefined || text === undefined || more.length > 0) return undefined
  return { kind: 'told', topic, origin, text }
}

/** Encodes what a gateway tells the others; no script has a part in it. */
export function toldMessage({ topic, origin, text }: { topic: string; origin: string; text: string }): string {
  return JSON.stringify(['told', topic, origin, text])
}

function toReleased([key, origin, ...more]: readonly string[]): StoreChange | undefined {
  if (key === undefined || origin === undefined || more.length > 0) return undefined
  return { kind: 'released', key, origin }
}

function toVersioned(kind: 'state' | 'gone', texts: readonly string[]): StoreChange | undefined {
  const [key = '', versionText, previousText, origin = '', body = ''] = texts
  const version = toWhole(versionText)
  const previous = toWhole(previousText)
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

function toWhole(text: string | undefined): number | undefined {
  const number = /^\d+$/.test(text ?? '') ? Number(text) : undefined
  return Number.isSafeInteger(number) ? number : undefined
}

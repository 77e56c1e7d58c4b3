import type { LeaseAnswer, StoredEntry, StoredState, WriteAnswer } from '../coordination/coordination-store.ts'
import { UnexpectedReply } from './store-failure.ts'

/** Decodes `{version, age in ms, body}`; version 0 is none. */
export function toStoredState(reply: unknown): StoredState | undefined {
  const [version, ageMs, body] = listOf(reply)
  return storedState(version, ageMs, body)
}

/** Decodes the reply of acquire-lease.lua. */
export function toLeaseAnswer(reply: unknown): LeaseAnswer {
  const [role, number, flag, version, ageMs, body] = listOf(reply)
  const state = storedState(version, ageMs, body)
  const news = state === undefined ? {} : { news: state }
  if (role === 'leader') return { role, fence: toInteger(number), tookOver: toFlag(flag), ...news }
  if (role === 'follower') return { role, remainingMs: toInteger(number), ...news }
  throw new UnexpectedReply('neither leader nor follower')
}

/** Decodes the reply of write-state.lua. */
export function toWriteAnswer(reply: unknown): WriteAnswer {
  const [written, version, ageMs, body] = listOf(reply)
  if (toFlag(written)) return { written: true, version: toInteger(version) }
  return { written: false, stored: storedState(version, ageMs, body) }
}

/** Decodes 1 and 0. */
export function toFlag(reply: unknown): boolean {
  if (reply === 1) return true
  if (reply === 0) return false
  throw new UnexpectedReply('neither 1 nor 0')
}

/** Decodes a whole number, exactly. */
export function toInteger(reply: unknown): number {
  if (typeof reply === 'number' && Number.isSafeInteger(reply)) return reply
  throw new UnexpectedReply('not an integer')
}

/** Decodes the reply of hold-role.lua. */
export function toHold(reply: unknown): 'kept' | 'gained' | 'other' {
  if (reply === 'kept' || reply === 'gained' || reply === 'other') return reply
  throw new UnexpectedReply('neither kept nor gained nor other')
}

/** A part of the entries, and where the next one begins; undefined for the last. */
export interface EntryPage {
  readonly entries: readonly StoredEntry[]
  readonly next: string | undefined
}

/** Decodes the reply of read-entries.lua. What was not written by a gateway is left out. */
export function toEntryPage(reply: unknown): EntryPage {
  const [next, list] = listOf(reply)
  const flat = listOf(list)
  const entries: StoredEntry[] = []
  for (let at = 0; at < flat.length; at += 3) {
    const [, rank, body] = /^(\d{1,16}) (.*)$/s.exec(toText(flat[at + 1])) ?? []
    if (rank === undefined || body === undefined) continue
    entries.push({ key: toText(flat[at]), body, rank: Number(rank), remainingMs: toInteger(flat[at + 2]) })
  }
  return { entries, next: next === '0' ? undefined : toText(next) }
}

/** Decodes a list of texts. */
export function toTexts(reply: unknown): readonly string[] {
  return listOf(reply).map(toText)
}

function storedState(version: unknown, ageMs: unknown, body: unknown): StoredState | undefined {
  if (version === 0) return undefined
  return { version: toInteger(version), ageMs: toInteger(ageMs), body: toText(body) }
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new UnexpectedReply('not a text')
}

function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw new UnexpectedReply('not a list')
}

import { hostOf } from '../coordination/gateway-entries.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import { isLoopback } from './address-rules.ts'
import type { InstanceLoad, InstanceRecord, InstanceReport } from './instance-record.ts'
import { checkInstance, type InstanceRules } from './instance-rules.ts'
import { toInstanceLoad } from './report-fields.ts'
import { outdated, readSharedReport } from './signed-report.ts'

/** How long a signed report counts that comes through the store: who has kept an older one brings nothing back with it. */
export const sharedValidityMs = 15 * 60_000
/** How old a signed report in the store may become before it is replaced by a new one that says the same. */
export const sharedRefreshMs = 5 * 60_000

const instancePrefix = 'i/'
/** Of instances whose address means something on one host only. */
const hostPrefix = 'h/'

/**
 * Key of an instance's entry. One at a loopback address has an entry for the gateways of its own host: at the same address another host has
 * somebody else, or nobody.
 * @param origin of any gateway of that host
 */
export function instanceEntry({ id, address }: Pick<InstanceRecord, 'id' | 'address'>, origin: string): string {
  return isLoopback(address) ? `${hostEntries(origin)}${id}` : `${instancePrefix}${id}`
}

/** Id of the instance whose entry this is; undefined for another one, and for one of another host than that of `origin`. */
export function instanceOf(key: string, origin: string): string | undefined {
  const own = hostEntries(origin)
  if (key.startsWith(own)) return key.slice(own.length)
  return key.startsWith(instancePrefix) ? key.slice(instancePrefix.length) : undefined
}

/** What a record from the store must be checked with. */
export interface SharedRecordRules extends InstanceRules {
  /** Shared by gateways. */
  readonly key: string
}

/**
 * Verifies what the store has of an instance: whoever can write there, but does not have the key, registers nothing.
 *
 * @param origin of this gateway
 * @throws GatewayError `unauthenticated`, `forbidden` where no calls may be sent, `request_invalid`
 */
export function readSharedRecord(
  entry: { readonly key: string; readonly body: string; readonly rank: number },
  rules: SharedRecordRules,
  { origin, nowMs }: { readonly origin: string; readonly nowMs: number },
): InstanceReport {
  const report = readSharedReport(entry.body, rules.key)
  const { record, sentAtMs } = report
  if (instanceEntry(record, origin) !== entry.key || record.revision !== entry.rank) {
    throw new GatewayError('request_invalid', 'the entry is not that of the instance it speaks of')
  }
  checkInstance(record, rules)
  if (Math.abs(nowMs - sentAtMs) > sharedValidityMs) throw outdated(`the report of instance "${record.id}" is too old`)
  return report
}

function hostEntries(origin: string): string {
  return `${hostPrefix}${hostOf(origin)}/`
}

/** Makes the note of a renewal: the loads of the instances that it renews, in their order. */
export function toLoadNote(loads: readonly InstanceLoad[]): string {
  return JSON.stringify(loads.map(({ inFlight, queued, streams, idleForMs }) => [inFlight, queued, streams, idleForMs]))
}

/** Reads what {@link toLoadNote} made; undefined for a load that cannot be read, and for all when the note is none. */
export function fromLoadNote(note: string): readonly (InstanceLoad | undefined)[] {
  const list = parse(note)
  return Array.isArray(list) ? list.map(toLoad) : []
}

function toLoad(value: unknown): InstanceLoad | undefined {
  const [inFlight, queued, streams, idleForMs] = Array.isArray(value) ? value : []
  try {
    return toInstanceLoad({ inFlight, queued, streams, idleForMs })
  } catch {
    return undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

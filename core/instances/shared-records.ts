import { GatewayError } from '../errors/gateway-error.ts'
import type { AddressRules } from './address-rules.ts'
import type { InstanceLoad, InstanceReport } from './instance-record.ts'
import { toInstanceLoad } from './report-fields.ts'
import { outdated, readSharedReport } from './signed-report.ts'

/** How long a signed report counts that comes through the store: who has kept an older one brings nothing back with it. */
export const sharedValidityMs = 15 * 60_000
/** How old a signed report in the store may become before it is replaced by a new one that says the same. */
export const sharedRefreshMs = 5 * 60_000

const instancePrefix = 'i/'
const gatewayPrefix = 'g/'

/** Key of an instance's entry. */
export function instanceEntry(id: string): string {
  return `${instancePrefix}${id}`
}

/** Id of the instance whose entry this is; undefined for another one. */
export function instanceOf(key: string): string | undefined {
  return key.startsWith(instancePrefix) ? key.slice(instancePrefix.length) : undefined
}

/** Key of the entry by which a gateway shows that it is there. */
export function gatewayEntry(origin: string): string {
  return `${gatewayPrefix}${origin}`
}

/** The gateway whose entry this is; undefined for another one. */
export function gatewayOf(key: string): string | undefined {
  return key.startsWith(gatewayPrefix) ? key.slice(gatewayPrefix.length) : undefined
}

/** What a record from the store must be checked with. */
export interface SharedRecordRules {
  /** Shared by gateways and sidecars. */
  readonly key: string
  readonly networks: AddressRules
}

/**
 * Verifies what the store has of an instance: whoever can write there, but does not have the key, registers nothing.
 *
 * @param id by the key of the entry
 * @throws GatewayError `unauthenticated`, `forbidden` for an address outside of the networks, `request_invalid`
 */
export function readSharedRecord(
  { id, body, rank }: { readonly id: string; readonly body: string; readonly rank: number },
  { key, networks }: SharedRecordRules,
  nowMs: number,
): InstanceReport {
  const report = readSharedReport(body, key)
  const { record, sentAtMs } = report
  if (record.id !== id || record.revision !== rank) {
    throw new GatewayError('request_invalid', 'the entry is not that of the instance it speaks of')
  }
  if (!networks.allows(record.address)) {
    throw new GatewayError('forbidden', `instance "${id}" has an address outside of the networks of instances`)
  }
  if (Math.abs(nowMs - sentAtMs) > sharedValidityMs) throw outdated(`the report of instance "${id}" is too old`)
  return report
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

import { isIP } from 'node:net'
import { GatewayError } from '../errors/gateway-error.ts'
import { functionIdentity } from '../provider/function-identity.ts'
import type { InstanceLoad, InstancePhase, InstanceRecord, InstanceReport } from './instance-record.ts'

const phases: readonly InstancePhase[] = ['starting', 'ready', 'unready', 'leaving']
const validId = /^[-a-zA-Z0-9._]{1,128}$/
const validName = /^[-a-zA-Z0-9_][-a-zA-Z0-9_.]*$/
const validNamespace = /^[-a-zA-Z0-9_]*$/
/** Of name and namespace together, as in the paths of calls. */
const maxKeyLength = 253
const maxPort = 65_535

/** Fields of a JSON object; those that are missing are undefined. */
type Fields = Readonly<Record<string, unknown>>

/**
 * Checks every known field of a report, by hand: the sidecar shares this code, and is to stay small. Others are left out.
 * @throws GatewayError `request_invalid` naming the field
 */
export function toInstanceReport(value: unknown): InstanceReport {
  const { record, load, sentAtMs } = fieldsOf(value, 'the report')
  return {
    record: toRecord(fieldsOf(record, '"record"')),
    load: toLoad(fieldsOf(load, '"load"')),
    sentAtMs: amount(sentAtMs, 'sentAtMs'),
  }
}

/**
 * Checks every known field of a load.
 * @throws GatewayError `request_invalid` naming the field
 */
export function toInstanceLoad(value: unknown): InstanceLoad {
  return toLoad(fieldsOf(value, '"load"'))
}

function toRecord(fields: Fields): InstanceRecord {
  const name = matching(fields['name'], validName, 'name')
  const namespace = matching(fields['namespace'], validNamespace, 'namespace')
  if (functionIdentity(name, namespace).key.length > maxKeyLength) {
    throw invalid(`name and namespace are longer than ${maxKeyLength} characters`)
  }
  return {
    id: matching(fields['id'], validId, 'id'),
    name,
    namespace,
    address: addressOf(fields['address']),
    port: whole(fields['port'], 'port', { least: 1, most: maxPort }),
    adminPort: whole(fields['adminPort'], 'adminPort', { least: 0, most: maxPort }),
    secure: flag(fields['secure'], 'secure'),
    limit: whole(fields['limit'], 'limit'),
    phase: phaseOf(fields['phase']),
    revision: whole(fields['revision'], 'revision', { least: 1 }),
  }
}

function toLoad(fields: Fields): InstanceLoad {
  return {
    inFlight: whole(fields['inFlight'], 'inFlight'),
    queued: whole(fields['queued'], 'queued'),
    streams: whole(fields['streams'], 'streams'),
    idleForMs: amount(fields['idleForMs'], 'idleForMs'),
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} is no JSON object`)
  return value as Fields // an object that JSON made has texts as keys
}

function matching(value: unknown, pattern: RegExp, field: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw invalid(`"${field}" is missing or has characters that it must not have`)
}

/** A zone, as in `fe80::1%eth0`, means something on the machine of the sidecar only. */
function addressOf(value: unknown): string {
  if (typeof value === 'string' && isIP(value) !== 0 && !value.includes('%')) return value
  throw invalid('"address" is no IP address')
}

function phaseOf(value: unknown): InstancePhase {
  const phase = phases.find((one) => one === value)
  if (phase === undefined) throw invalid(`"phase" is none of ${phases.join(', ')}`)
  return phase
}

function flag(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(`"${field}" is neither true nor false`)
}

function whole(value: unknown, field: string, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw invalid(`"${field}" is no whole number from ${least} to ${most}`)
}

function amount(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw invalid(`"${field}" is no number of at least 0`)
}

function invalid(reason: string): GatewayError {
  return new GatewayError('request_invalid', reason)
}

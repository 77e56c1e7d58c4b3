import { functionIdentity, GatewayError, identityAsCalled, type FunctionIdentity } from '#core'

/** What somebody says who has seen a function take traffic. */
export interface Announcement {
  readonly identity: FunctionIdentity
  /** Replicas that take traffic, at least 1; undefined when nobody counted. */
  readonly available: number | undefined
}

const validName = /^[-a-zA-Z0-9_][-a-zA-Z0-9_.]*$/
const validNamespace = /^[-a-zA-Z0-9_]+$/
/** Of name and namespace together, as in the paths of calls. */
const maxKeyLength = 253
/** More replicas of one function than any platform runs. */
const maxAvailable = 1_000_000

/**
 * Decodes `{"name", "namespace"?, "available"?}`. Further fields are ignored, so that older gateways understand newer announcers;
 * null and an empty text count as absent.
 *
 * @param defaultNamespace namespace of functions announced without one
 * @throws GatewayError `request_invalid` naming the field
 */
export function decodeAnnouncement(text: string, defaultNamespace: string): Announcement {
  const { name, namespace, available } = fieldsIn(text)
  const identity = isAbsent(namespace)
    ? identityAsCalled(nameOf(name), defaultNamespace)
    : functionIdentity(nameOf(name), namespaceOf(namespace))
  if (identity.key.length > maxKeyLength) throw invalid(`name and namespace are longer than ${maxKeyLength} characters`)
  return { identity, available: isAbsent(available) ? undefined : countOf(available) }
}

interface Fields {
  readonly name?: unknown
  readonly namespace?: unknown
  readonly available?: unknown
}

function fieldsIn(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('the body is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('the body is no JSON object')
  return value
}

function nameOf(name: unknown): string {
  if (isAbsent(name)) throw invalid('"name" is missing')
  if (typeof name === 'string' && validName.test(name)) return name
  throw invalid('"name" is no name of a function')
}

function namespaceOf(namespace: unknown): string {
  if (typeof namespace === 'string' && validNamespace.test(namespace)) return namespace
  throw invalid('"namespace" is no name of a namespace')
}

function countOf(available: unknown): number {
  const isCount = typeof available === 'number' && Number.isInteger(available)
  if (isCount && available >= 1 && available <= maxAvailable) return available
  throw invalid(`"available" is no whole number from 1 to ${maxAvailable}`)
}

/** Writers of JSON spell what is not set in different ways. */
function isAbsent(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === ''
}

function invalid(reason: string): GatewayError {
  return new GatewayError('request_invalid', reason)
}

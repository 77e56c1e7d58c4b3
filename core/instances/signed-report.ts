import { timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../errors/gateway-error.ts'
import type { InstanceReport } from './instance-record.ts'
import { hmac, instanceSecret } from './instance-secret.ts'
import { toInstanceReport } from './report-fields.ts'

const version = 'v1'
/** Several times the longest report that can be made of valid fields. Characters. */
const maxTextLength = 8_192
/** How far the clocks of a sidecar and of a gateway may differ, and how old a report may get on its way. */
const maxAgeMs = 60_000

/** Signs a report for sending: `v1.<payload>.<signature>`, the parts in base64url. @param key shared by gateways */
export function signReport(report: InstanceReport, key: string): string {
  return signOwnReport(report, instanceSecret(key, report.record))
}

/** As {@link signReport}, by the instance that it is about. @param secret its `instanceSecret` */
export function signOwnReport(report: InstanceReport, secret: string): string {
  const signed = `${version}.${Buffer.from(JSON.stringify(report)).toString('base64url')}`
  return `${signed}.${hmac(secret, signed)}`
}

/**
 * Decodes what a sidecar sent, and verifies it: by the secret of the instance that it says it is about, which the key yields. Fields that
 * this version does not know are left out.
 *
 * @param nowMs wall clock of this gateway
 * @throws GatewayError `unauthenticated` when that secret did not sign it, `request_invalid` naming what is wrong with it;
 *   {@link isOutdated} of the error when it was sent too long ago, or by a clock that is too far off
 */
export function readReport(text: string, key: string, nowMs: number): InstanceReport {
  const report = readSharedReport(text, key)
  if (Math.abs(nowMs - report.sentAtMs) <= maxAgeMs) return report
  throw outdated('"sentAtMs" is more than a minute off: the report is old, or the clocks differ')
}

/**
 * As {@link readReport}, whenever it was sent: for what other gateways share, who checked that when they took it.
 *
 * @throws GatewayError `unauthenticated`, `request_invalid`
 */
export function readSharedReport(text: string, key: string): InstanceReport {
  const [prefix, payload, signature, ...more] = text.length > maxTextLength ? [] : text.trim().split('.')
  if (prefix !== version || payload === undefined || signature === undefined || more.length > 0) {
    throw new GatewayError('request_invalid', `the report is not of the form ${version}.payload.signature`)
  }
  // Read before it is believed, bounded and checked field by field: whose secret has to have signed it stands in it.
  const report = toInstanceReport(parseJson(Buffer.from(payload, 'base64url').toString('utf8')))
  if (isSame(signature, hmac(instanceSecret(key, report.record), `${version}.${payload}`))) return report
  throw new GatewayError('unauthenticated', 'the report is not signed by the key of this gateway')
}

/** Makes the error for a report that a newer one has overtaken, or that is too old to count. */
export function outdated(message: string): GatewayError {
  return new GatewayError('request_invalid', message, { details: { outdated: true } })
}

/** Whether a report was refused because it is out of date, which is nothing that its sender could have written better: 409. */
export function isOutdated(error: unknown): boolean {
  return error instanceof GatewayError && error.details['outdated'] === true
}

/** Takes as long for any signature of the right length. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

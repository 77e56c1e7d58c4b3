import { Refusal } from './refusal.ts'

/** A DNS label (RFC 1123): what functions, namespaces and secrets are called. Safe as a file name. */
export const dnsLabel = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

const shownLength = 80

/**
 * Returns a name that is a DNS label.
 * @param what what is named, for the message
 * @throws Refusal 400
 */
export function requireName(what: string, name: string): string {
  if (dnsLabel.test(name)) return name
  const shown = JSON.stringify(name.length > shownLength ? `${name.slice(0, shownLength)}...` : name)
  throw new Refusal(400, `${what} ${shown} is no DNS label: lower-case letters, digits and "-", at most 63 of them`)
}

import { createHmac } from 'node:crypto'
import { functionIdentity } from '../provider/function-identity.ts'
import type { InstanceRecord } from './instance-record.ts'

/** Whose secret it is: one instance, of one function. */
export type SecretOwner = Pick<InstanceRecord, 'id' | 'name' | 'namespace'>

/**
 * What one instance signs with, made of the key that gateways share. Who has it speaks for this instance of this function, and for no
 * other: it is all that a sidecar needs whose function could read its memory.
 */
export function instanceSecret(key: string, { id, name, namespace }: SecretOwner): string {
  return hmac(key, `instance ${id} of ${functionIdentity(name, namespace).key}`)
}

/**
 * What a gateway shows a sidecar to be given slots, as a bearer token.
 * @param secret of the instance whose slots they are: a token is of no use elsewhere
 */
export function slotsToken(secret: string): string {
  return hmac(secret, 'slots')
}

/** HMAC-SHA256 in base64url. */
export function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

import { GatewayError } from '../errors/gateway-error.ts'
import { isLoopback, type AddressRules } from './address-rules.ts'
import type { InstanceRecord } from './instance-record.ts'

/** Which instances calls may be sent to. */
export interface InstanceRules {
  readonly networks: AddressRules
  /** Whether calls go by mutual TLS only, except to instances on this machine. */
  readonly needsTls: boolean
}

/**
 * Checks that calls may be sent to an instance, whoever has signed its record.
 * @throws GatewayError `forbidden`, saying why
 */
export function checkInstance({ id, address, secure }: InstanceRecord, { networks, needsTls }: InstanceRules): void {
  if (!networks.allows(address)) {
    throw new GatewayError(
      'forbidden',
      `instance "${id}": ${address} is in none of the networks that instances may be in`,
    )
  }
  if (!needsTls || secure || isLoopback(address)) return
  throw new GatewayError('forbidden', `instance "${id}" takes calls without TLS, and this gateway sends none so`)
}

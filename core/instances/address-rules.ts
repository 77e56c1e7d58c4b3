import { BlockList, isIP } from 'node:net'
import { GatewayError } from '../errors/gateway-error.ts'

/** What is no address of a single machine, or means "this machine" to whoever connects: never an instance. */
const neverAnInstance = ['0.0.0.0/8', '::/128', '224.0.0.0/4', '255.255.255.255/32', 'ff00::/8']

const loopback = toBlockList(['127.0.0.0/8', '::1/128'])

/** Loopback and private networks: where instances are looked for unless networks are configured. */
export const defaultInstanceNetworks: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
]

/**
 * Says at which addresses instances may be. An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address
 * that it is.
 */
export class AddressRules {
  readonly #allowed: BlockList
  readonly #never = toBlockList(neverAnInstance)

  /**
   * @param networks in CIDR notation, or single addresses
   * @throws GatewayError `config_invalid` naming the first that is none
   */
  constructor(networks: readonly string[]) {
    this.#allowed = toBlockList(networks)
  }

  /** Whether an instance may be at this address; false for what is no IP address, and for one with a zone. */
  allows(address: string): boolean {
    if (isIP(address) === 0 || address.includes('%')) return false
    const plain = unmapped(address)
    const family = isIP(plain)
    const type = family === 4 ? 'ipv4' : 'ipv6'
    return this.#allowed.check(plain, type) && !this.#never.check(plain, type)
  }
}

/** Whether an address means the machine of whoever uses it, in any spelling. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const plain = unmapped(address)
  return loopback.check(plain, isIP(plain) === 4 ? 'ipv4' : 'ipv6')
}

function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) add(list, network.trim())
  return list
}

function add(list: BlockList, network: string): void {
  const [address = '', prefixText, ...more] = network.split('/')
  const family = isIP(address)
  const longest = family === 4 ? 32 : 128
  const prefix = prefixText === undefined ? longest : Number(/^\d{1,3}$/.test(prefixText) ? prefixText : Number.NaN)
  if (family === 0 || address.includes('%') || more.length > 0 || !(prefix <= longest)) {
    throw new GatewayError('config_invalid', `"${network}" is neither a network such as 10.0.0.0/8 nor an address`)
  }
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
}

/** In any of its spellings: `::ffff:10.0.0.1`, `::FFFF:a00:1`, `0:0:0:0:0:ffff:0a00:0001`. */
function unmapped(address: string): string {
  if (isIP(address) !== 6) return address
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return bits.flatMap((half) => [half >> 8, half & 255]).join('.')
}

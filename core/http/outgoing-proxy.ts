import { BlockList, isIP } from 'node:net'
import type { GatewayConfig } from '../config/gateway-config.ts'

/** The settings that decide which calls go through a forward proxy. */
export type OutgoingProxySettings = Pick<GatewayConfig, 'httpProxy' | 'httpsProxy' | 'noProxy'>

/** Whether one entry of the list of exemptions covers a host (lower case, IPv6 without brackets) and its port. */
type Exemption = (host: string, port: string) => boolean

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Decides as Go does which proxy a call goes through: by the scheme of its URL, and none for exempt hosts, `localhost` and
 * loopback addresses.
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export class OutgoingProxy {
  readonly #http: URL | undefined
  readonly #https: URL | undefined
  readonly #exemptions: readonly Exemption[]

  constructor({ httpProxy, httpsProxy, noProxy }: OutgoingProxySettings) {
    this.#http = httpProxy
    this.#https = httpsProxy
    this.#exemptions = noProxy.split(',').flatMap((entry) => toExemption(entry.trim().toLowerCase()) ?? [])
  }

  /** The proxy for calls to this origin, or undefined when they go straight. */
  proxyFor(origin: URL): URL | undefined {
    const proxy = origin.protocol === 'https:' ? this.#https : this.#http
    if (proxy === undefined) return undefined
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1')
    if (host === 'localhost' || covers(loopback, host)) return undefined
    const port = origin.port || (origin.protocol === 'https:' ? '443' : '80')
    return this.#exemptions.some((exempts) => exempts(host, port)) ? undefined : proxy
  }
}

/** Returns undefined when there is no proxy at all, so that nobody has to ask. */
export function createOutgoingProxy(settings: OutgoingProxySettings): OutgoingProxy | undefined {
  return settings.httpProxy === undefined && settings.httpsProxy === undefined ? undefined : new OutgoingProxy(settings)
}

/** An entry that cannot be read exempts nothing, as in Go. */
function toExemption(entry: string): Exemption | undefined {
  if (entry === '*') return () => true
  if (entry.includes('/')) return toSubnet(entry)
  const [, bracketed, plain, ownPort] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? []
  const name = isIP(entry) === 6 ? entry : (bracketed ?? plain)
  if (name === undefined) return undefined
  const covered = isIP(name) === 0 ? toNames(name) : toAddress(name)
  return (host, port) => (ownPort === undefined || ownPort === port) && covered(host)
}

function toSubnet(entry: string): Exemption | undefined {
  const [, base = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? []
  const version = isIP(base)
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return undefined
  const list = new BlockList()
  list.addSubnet(base, Number(bits), version === 4 ? 'ipv4' : 'ipv6')
  return (host) => covers(list, host)
}

function toAddress(address: string): (host: string) => boolean {
  const list = new BlockList()
  list.addAddress(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  return (host) => covers(list, host)
}

/** `example.com` covers itself and what is below it, `.example.com` and `*.example.com` only what is below. */
function toNames(name: string): (host: string) => boolean {
  const below = name.startsWith('*.') ? name.slice(1) : name
  if (below.startsWith('.')) return (host) => host.endsWith(below)
  return (host) => host === name || host.endsWith(`.${name}`)
}

function covers(list: BlockList, host: string): boolean {
  const version = isIP(host)
  return version !== 0 && list.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

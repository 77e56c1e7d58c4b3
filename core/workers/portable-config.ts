import type { GatewayConfig } from '../config/gateway-config.ts'

/** A configuration as plain data: URLs are their text. */
export type PortableConfig = {
  readonly [Key in keyof GatewayConfig]: URL extends GatewayConfig[Key]
    ? { readonly href: string } | undefined
    : GatewayConfig[Key]
}

/** Makes a configuration fit for a message to another process. */
export function toPortable(config: GatewayConfig): PortableConfig {
  const entries = Object.entries(config).map(([key, value]) => [
    key,
    value instanceof URL ? { href: value.href } : value,
  ])
  return Object.fromEntries(entries) as PortableConfig // the same keys, each URL as an object of its text
}

/** What {@link toPortable} was given. */
export function fromPortable(config: PortableConfig): GatewayConfig {
  const entries = Object.entries(config).map(([key, value]) => [
    key,
    isPortableUrl(value) ? new URL(value.href) : value,
  ])
  return Object.fromEntries(entries) as GatewayConfig // the same keys, each text of a URL as one
}

function isPortableUrl(value: unknown): value is { readonly href: string } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'href' in value
}

const gatewayPrefix = 'g/'

/** Key of the entry by which a gateway shows that it is there; it is over with its gateway. */
export function gatewayEntry(origin: string): string {
  return `${gatewayPrefix}${origin}`
}

/** The gateway whose entry this is; undefined for another one. */
export function gatewayOf(key: string): string | undefined {
  return key.startsWith(gatewayPrefix) ? key.slice(gatewayPrefix.length) : undefined
}

/** The machine of a gateway, by its origin; empty for all that share a store which is of one machine. */
export function hostOf(origin: string): string {
  return origin.slice(0, Math.max(0, origin.lastIndexOf('-')))
}

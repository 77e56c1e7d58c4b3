import type { HeaderList } from './header-list.ts'

/** How the names begin, in lower case, of the headers by which gateways and sidecars speak to each other; see core/instances/instance-wire.ts. */
export const ownHeaderPrefix = 'x-pilotlight-'

/** Removes every header of that kind, in place: a function must not pass for a sidecar, nor a client for a gateway. */
export function removeOwnHeaders(headers: HeaderList): void {
  if (!headers.some((name, index) => index % 2 === 0 && isOwn(name))) return
  const kept = headers.filter((_, index) => !isOwn(headers[index - (index % 2)] ?? ''))
  headers.splice(0, headers.length, ...kept)
}

function isOwn(name: string): boolean {
  return name.length > ownHeaderPrefix.length && name.slice(0, ownHeaderPrefix.length).toLowerCase() === ownHeaderPrefix
}

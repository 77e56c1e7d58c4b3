import type { Server, ServerOptions } from 'node:http'
import type { PeerIdentityDeps } from './peer-identity.ts'

/** Servers for gateways only, and the certificates that they are made with. */
export interface PeerServers extends Disposable {
  readonly createServer: (settings: ServerOptions) => Server
}

/**
 * Reads the certificates of a sidecar and begins to watch them. Loads TLS, which without this call costs nothing.
 * @throws GatewayError `config_invalid` as `PeerIdentity.open`
 */
export async function openPeerServers(folder: string, deps: PeerIdentityDeps): Promise<PeerServers> {
  const { PeerIdentity } = await import('./peer-identity.ts')
  const { peerServer } = await import('./peer-server.ts')
  const identity = await PeerIdentity.open(folder, deps)
  return { createServer: peerServer(identity), [Symbol.dispose]: () => identity[Symbol.dispose]() }
}

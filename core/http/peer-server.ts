import type { Server, ServerOptions } from 'node:http'
import type { Socket } from 'node:net'
import { checkServerIdentity, type TLSSocket } from 'node:tls'
import { secureHttp } from './node-http.ts'
import { gatewayPeerName, type PeerIdentity } from './peer-identity.ts'

/** How long a client may take to prove who it is. */
const handshakeTimeoutMs = 10_000

/**
 * Returns what makes a listener's server that talks TLS 1.3 to gateways, and to nobody else: clients with a certificate of the same
 * authority for the name of gateways. New certificates hold for new connections.
 */
export function peerServer(identity: PeerIdentity): (settings: ServerOptions) => Server {
  return (settings) => {
    const server = secureHttp().createServer({
      ...settings,
      ...identity.current,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: handshakeTimeoutMs,
    })
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      if (checkServerIdentity(gatewayPeerName, socket.getPeerCertificate()) !== undefined) socket.destroy()
    })
    identity.onChange((certificates) => server.setSecureContext({ ...certificates, minVersion: 'TLSv1.3' }))
    cutHandshakes(server)
    return server
  }
}

/** Has `closeAllConnections` end those as well that have not proved who they are yet, of which node:http does not know. */
function cutHandshakes(server: Server): void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const closeKnown = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeKnown()
    for (const socket of sockets) socket.destroy()
  }
}

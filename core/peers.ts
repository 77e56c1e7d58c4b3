/** The door to mutual TLS, `#core/peers`: loaded by a sidecar that has certificates, and by no other, for it brings node:tls. */
export { PeerIdentity } from './http/peer-identity.ts'
export { peerServer } from './http/peer-server.ts'

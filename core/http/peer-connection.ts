import { sidecarPeerName, type PeerCertificates } from './peer-identity.ts'

/** How a gateway connects to a sidecar over TLS, in the words of node:tls. */
export interface PeerConnection extends PeerCertificates {
  /** The name that the other side's certificate must be for: addresses of instances are in no certificate. */
  readonly servername: string
  readonly minVersion: 'TLSv1.3'
}

/** How to connect with these certificates. */
export function peerConnection({ cert, key, ca }: PeerCertificates): PeerConnection {
  return { cert, key, ca, servername: sidecarPeerName, minVersion: 'TLSv1.3' }
}

import type { PeerSettings } from './peer-process.ts'

/**
 * HAProxy as a gateway to one upstream: one thread, connections kept on both sides and to the upstream shared between
 * clients, no log.
 *
 * @see HAProxy 2.6 configuration manual: 3.1 (nbthread, maxconn), 3.2 (http-reuse), 5.2 (pool-purge-delay)
 */
export function haproxyConfig({ port, upstreamPort, maxConnections }: PeerSettings): string {
  return `global
  nbthread 1
  maxconn ${maxConnections}
  no strict-limits

defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s

frontend callers
  bind 127.0.0.1:${port}
  default_backend functions

backend functions
  server upstream 127.0.0.1:${upstreamPort} pool-purge-delay 600s
`
}

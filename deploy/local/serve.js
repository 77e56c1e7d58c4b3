import { createServer } from 'node:http'

/**
 * Serves `handle` on the port that the provider chose for this replica, and ends politely: on SIGTERM no new connection is
 * accepted, and what is under way is finished.
 *
 * @param {import('node:http').RequestListener} handle
 * @param {{ onUpgrade?: (request: import('node:http').IncomingMessage, socket: import('node:stream').Duplex) => void }} [options]
 */
export function serve(handle, { onUpgrade } = {}) {
  const server = createServer(handle)
  if (onUpgrade !== undefined) server.on('upgrade', onUpgrade)
  server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1')
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
}

/** An end of a connection, as a report of node names it. */
interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A handle in a report of node. */
interface ReportedHandle {
  readonly type: string
  readonly fd?: number
  readonly localEndpoint?: Endpoint | null
  readonly remoteEndpoint?: Endpoint | null
  readonly writeQueueSize?: number
}

/**
 * Describes all TCP sockets of this process, a line each, also those that no object of node stands for any more: the address at
 * either end (`none` where it is not connected), the file descriptor and the bytes that wait to be sent.
 *
 * @see https://nodejs.org/api/report.html
 */
export function openSockets(): readonly string[] {
  // Names of hosts would be looked up; the types do not know this setting.
  Object.assign(process.report, { excludeNetwork: true })
  const { libuv } = process.report.getReport() as { readonly libuv: readonly ReportedHandle[] } // as the documentation shows it
  return libuv
    .filter(({ type }) => type === 'tcp')
    .map(({ fd, localEndpoint, remoteEndpoint, writeQueueSize }) => {
      const ends = `local ${textOf(localEndpoint)}, remote ${textOf(remoteEndpoint)}`
      return `TCP socket: ${ends}, descriptor ${fd}, ${writeQueueSize} bytes unsent`
    })
}

function textOf(end: Endpoint | null | undefined): string {
  return end ? `${end.host}:${end.port}` : 'none'
}

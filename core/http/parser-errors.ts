import type { Duplex } from 'node:stream'

const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * Answers bytes that are no acceptable request, and closes the connection. A connection that already carries (part of) an
 * answer is cut: nothing that is written to it could be told from that answer.
 */
export function answerParserError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || !isOfParser(error) || answerBegun(socket)) {
    socket.destroy()
    return
  }
  const status = answers[error.code ?? ''] ?? '400 Bad Request'
  const body = `${status}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

/** What else comes here are connections that broke, and such as never became one: a client that has no certificate. */
function isOfParser({ code = '' }: NodeJS.ErrnoException): boolean {
  return code.startsWith('HPE_') || code in answers
}

/** Node keeps the response under way on the socket; a pipelined error must not be written into its body. */
function answerBegun(socket: Duplex): boolean {
  const underWay = (socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage // node:http's own field, stable since 0.x
  return underWay?.headersSent === true
}

/**
 * A function that accepts when it is told to, and says when that was, and when the first call of each gateway came: calls are to `/g<number of the gateway>`. A process of its own; obeys the messages of scripted-function-process.ts.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { machineMs } from '../../support/machine-clock.ts'
import { RequestReader } from '../request-reader.ts'
import type { FunctionCommand, SeenByFunction } from './scripted-function-process.ts'

const hello = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n')
const sockets = new Set<Socket>()
let server: Server | undefined
let seen: SeenByFunction = { acceptedAtMs: 0, arrivedAtMs: {} }

function serve(socket: Socket): void {
  sockets.add(socket)
  const reader = new RequestReader(({ head }) => {
    const atMs = machineMs()
    const gateway = /^GET \/g(\d+) /.exec(head)?.[1]
    if (gateway !== undefined) seen = { ...seen, arrivedAtMs: { [gateway]: atMs, ...seen.arrivedAtMs } }
    socket.write(hello)
  })
  socket.on('error', () => socket.destroy())
  socket.once('close', () => sockets.delete(socket))
  socket.on('data', (piece: Buffer) => reader.push(piece))
}

function listen(port: number): void {
  seen = { acceptedAtMs: 0, arrivedAtMs: {} }
  server = createServer({ noDelay: true }, serve)
  server.listen({ host: '127.0.0.1', port, backlog: 4096 }, () => {
    seen = { ...seen, acceptedAtMs: machineMs() }
    process.send?.({ accepts: true })
  })
}

function obey(command: FunctionCommand): void {
  switch (command.do) {
    case 'listen':
      listen(command.port)
      return
    case 'tell':
      process.send?.({ seen })
      return
    case 'close':
      for (const socket of sockets) socket.destroy()
      server?.close(() => process.send?.({ closed: true }))
      return
  }
}

process.on('message', obey)
process.on('disconnect', () => process.exit())
process.send?.({ started: true })

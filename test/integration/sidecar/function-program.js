// A function for tests whose faults are asked for by path.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'

const env = process.env
let readyStatus = Number(env.ready_status ?? 200)
let isReadyHanging = false

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://function')
  const number = (name) => Number(url.searchParams.get(name))
  const actions = {
    '/pid': () => response.end(String(process.pid)),
    '/env': () => response.end(JSON.stringify(env)),
    '/headers': () => response.end(JSON.stringify(request.rawHeaders)),
    '/exit': () => process.exit(number('code')),
    '/hang': () => {},
    '/die-inside': () => {
      response.writeHead(200, { 'Content-Type': 'text/plain' })
      response.write('begun', () => process.kill(process.pid, 'SIGKILL'))
    },
    '/child': () => response.end(String(spawn('sleep', ['66'], { stdio: 'inherit' }).pid)),
    '/say': () => {
      process.stdout.write(`${url.searchParams.get('out')}\n`)
      process.stderr.write(`${url.searchParams.get('err')}\n`)
      response.end()
    },
    '/flood': () => {
      process.stdout.write('x'.repeat(number('bytes')), () => {})
      response.end('flooding')
    },
    '/upload': () => {
      let bytes = 0
      request.on('data', (piece) => (bytes += piece.length)).on('end', () => response.end(String(bytes)))
    },
    '/ready': () => {
      if (!isReadyHanging) response.writeHead(readyStatus).end()
    },
    '/become': () => {
      readyStatus = number('status')
      response.end()
    },
    '/hang-ready': () => {
      isReadyHanging = true
      response.end()
    },
    '/close': () => response.end(() => server.close() && server.closeIdleConnections()),
  }
  const action = actions[url.pathname] ?? (() => response.end(`${request.method} ${request.url}`))
  action()
})
server.on('error', (error) => {
  process.stderr.write(`${error.code}\n`)
  process.exit(1)
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  socket.pipe(socket)
})
if (env.ignore_sigterm === 'true') process.on('SIGTERM', () => process.stdout.write('ignored SIGTERM\n'))
setTimeout(() => server.listen(Number(env.PORT), '127.0.0.1'), Number(env.listen_after_ms ?? 0))

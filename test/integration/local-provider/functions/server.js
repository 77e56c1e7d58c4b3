// A server for tests whose faults are asked for by path.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://function')
  const actions = {
    '/pid': () => response.end(String(process.pid)),
    '/crash': () => process.exit(7),
    '/hang': () => {},
    '/die-inside': () => {
      response.writeHead(200, { 'Content-Type': 'text/plain' })
      response.write('begun', () => process.kill(process.pid, 'SIGKILL'))
    },
    '/slow': () => setTimeout(() => response.end('finished'), Number(url.searchParams.get('ms'))),
    '/ready': () => response.writeHead(Date.now() - startedMs > Number(process.env.ready_after_ms) ? 200 : 503).end(),
  }
  const action = actions[url.pathname] ?? (() => response.end(`${request.method} ${request.url}`))
  action()
})
const startedMs = Date.now()
server.on('error', (error) => {
  process.stderr.write(`${error.code}\n`)
  process.exit(1)
})
if (process.env.ignore_sigterm === 'true') process.on('SIGTERM', () => {})
setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1'), Number(process.env.listen_after_ms ?? 0))

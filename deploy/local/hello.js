// Sample function in HTTP mode: a server of its own. Try `/`, `/echo`, `/stream` and, over a WebSocket, `/ws`.
import { serve } from './serve.js'
import { echoOverWebSocket } from './websocket-echo.js'

const events = 5
const eventPauseMs = 100

/** Answers with what was asked, as JSON. */
async function echo(request, response) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  const asked = {
    method: request.method,
    path: request.url,
    headers: request.headers,
    body: Buffer.concat(pieces).toString(),
  }
  response.setHeader('Content-Type', 'application/json').end(`${JSON.stringify(asked, undefined, 2)}\n`)
}

/** Sends a few server-sent events, each as soon as it is due. */
function stream(response) {
  let sent = 0
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  const timer = setInterval(() => {
    sent += 1
    response.write(`id: ${sent}\ndata: ${new Date().toISOString()}\n\n`)
    if (sent < events) return
    clearInterval(timer)
    response.end()
  }, eventPauseMs)
  response.on('close', () => clearInterval(timer))
}

function greet(url, response) {
  const who = url.searchParams.get('name') ?? 'world'
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`Hello, ${who}!\n`)
}

serve(
  (request, response) => {
    const url = new URL(request.url ?? '/', 'http://function')
    if (url.pathname === '/echo') return void echo(request, response)
    if (url.pathname === '/stream') return stream(response)
    return greet(url, response)
  },
  { onUpgrade: echoOverWebSocket },
)

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { FunctionScript } from './scripted-function.ts'
import { addBodyFunctions } from './soak-body-functions.ts'
import { mebibyte } from './soak-bytes.ts'
import type { SoakProvider } from './soak-provider.ts'

/** How many events or lines a stream has. */
export const streamLength = 8
/** Between two of them. */
const beatMs = 15
/** An idle connection is closed so long after an answer. */
const idleMs = 5

/** What `small` and the cold functions answer to the call with this number. */
export function rightAnswer(id: number): string {
  return `answer to ${id}`
}

/** The number of a call, from its query. */
function idIn({ url = '' }: IncomingMessage): number {
  return Number(new URLSearchParams(url.split('?')[1]).get('id'))
}

type Add = (script: FunctionScript, answer: Answering) => void
type Answering = (request: IncomingMessage, response: ServerResponse, id: number) => void

/** Adds every function that the kinds of calls call. */
export function addSoakFunctions(provider: SoakProvider): void {
  const add: Add = (script, answer) => {
    provider.scripted.add(script).handler = (request, response) => {
      const id = idIn(request)
      if (request.method === 'POST') provider.reach(id)
      provider.signals.give(`begun ${id}`)
      response.once('close', () => provider.signals.give(`gone ${id}`))
      answer(request, response, id)
    }
  }
  addBodyFunctions(provider.scripted)
  addPlain(provider, add)
  addStreams(add)
  addFailing(add)
  addChat(provider)
  for (const name of coldNames) add({ name, desired: 0, readyAfterMs: 60 }, whole)
  for (const name of sleepingNames) add({ name, desired: 0, readyAfterMs: -1 }, whole)
  const annotations = { 'com.pilotlight.hold-timeout': '300ms' }
  add({ name: 'late', desired: 0, readyAfterMs: -1, annotations }, whole)
  add({ name: 'refused', desired: 0, readyAfterMs: -1 }, whole)
  provider.refusesToScale.add('refused')
}

/** Functions that are woken, and scaled to zero again. */
export const coldNames = ['cold-1', 'cold-2', 'cold-3'] as const
/** Functions that never become ready. */
export const sleepingNames = ['asleep-1', 'asleep-2'] as const

function addPlain(provider: SoakProvider, add: Add): void {
  add({ name: 'small' }, whole)
  // Says that the connection is over, as an upstream should.
  add({ name: 'polite' }, (request, response, id) => {
    response.setHeader('Connection', 'close')
    whole(request, response, id)
  })
  // Closes its connection without a word, as an upstream with a short keep-alive does.
  add({ name: 'closing' }, (request, response, id) => {
    const close = provider.closerOf(request.socket)
    response.once('finish', () => setTimeout(close, idleMs))
    whole(request, response, id)
  })
}

function addStreams(add: Add): void {
  add({ name: 'events' }, (request, response, id) => {
    response.setHeader('Content-Type', 'text/event-stream')
    beat(response, (index) => `id: ${index}\ndata: ${rightAnswer(id)}\n\n`)
    request.resume()
  })
  add({ name: 'lines' }, (request, response, id) => {
    response.setHeader('Content-Type', 'application/x-ndjson')
    beat(response, (index) => `${JSON.stringify({ index, text: rightAnswer(id) })}\n`)
    request.resume()
  })
  const piece = Buffer.alloc(mebibyte / 64, 'endless ')
  add({ name: 'endless' }, (request, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write(piece));
    }
    request.resume()
    response.on('drain', write)
    write()
  })
}

function addFailing(add: Add): void {
  add({ name: 'failing' }, (request, response, id) => {
    request.resume()
    response.writeHead(500, { 'Content-Type': 'text/plain' }).end(rightAnswer(id))
  })
  add({ name: 'crashing' }, (_request, response) => void response.socket?.resetAndDestroy())
  add({ name: 'truncating' }, (request, response) => {
    request.resume()
    response.writeHead(200, { 'Content-Length': 1000 })
    response.write('half of an ans', () => response.socket?.resetAndDestroy())
  })
  add({ name: 'mute' }, (request) => void request.resume())
}

/** A WebSocket that sends back what it gets. */
function addChat({ scripted, signals }: SoakProvider): void {
  const server = new WebSocketServer({ noServer: true })
  scripted.add({ name: 'chat' }).upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const id = idIn(request)
    server.handleUpgrade(request, socket, head, (peer: WebSocket) => {
      peer.on('message', (data: Buffer, isBinary) => peer.send(data, { binary: isBinary }))
      peer.on('error', () => {})
      peer.once('close', () => signals.give(`gone ${id}`))
    })
  }
}

function whole(request: IncomingMessage, response: ServerResponse, id: number): void {
  request.resume()
  response.setHeader('Content-Type', 'text/plain')
  response.end(rightAnswer(id))
}

function beat(response: ServerResponse, text: (index: number) => string): void {
  let index = 0
  const timer = setInterval(() => {
    response.write(text(index))
    index += 1
    if (index === streamLength) response.end()
  }, beatMs)
  response.once('close', () => clearInterval(timer))
  response.flushHeaders()
}

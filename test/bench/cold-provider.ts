/**
 * The provider of the cold starts: the part of the provider API that a gateway needs for a wake, and the functions behind it,
 * on bare sockets with prepared answers, so that it takes little of the CPU that it shares with the callers. A process of its
 * own; obeys the messages of cold-provider-process.ts.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { machineMs } from '../support/machine-clock.ts'
import { Announcer } from './announcer.ts'
import { ColdFunction, type ColdScript, type ScaleOutcome } from './cold-function.ts'
import type { ProviderAnswer, ProviderCommand } from './cold-provider-process.ts'
import { RequestReader, type BareRequest } from './request-reader.ts'

function prepared(outcome: string, type: string, body: string, more = ''): Buffer {
  const length = Buffer.byteLength(body)
  return Buffer.from(`HTTP/1.1 ${outcome}\r\nContent-Type: ${type}\r\n${more}Content-Length: ${length}\r\n\r\n${body}`)
}

function json(value: unknown): Buffer {
  return prepared('200 OK', 'application/json', JSON.stringify(value))
}

const hello = prepared('200 OK', 'text/plain', 'hello\n')
const accepted = prepared('202 Accepted', 'text/plain', '')
const refused = prepared('400 Bad Request', 'text/plain', '')
const unknown = prepared('404 Not Found', 'text/plain', '')
const noEndpoint = prepared('503 Service Unavailable', 'text/plain', '', 'X-OpenFaaS-Internal: proxy\r\n')
/** What providers on Kubernetes answer when two of their writes meet. */
const conflicting = prepared('500 Internal Server Error', 'text/plain', 'the object has been modified')
const noNamespaces = json([])

const functions = new Map<string, ColdFunction>()
const announcers = new Map<string, Announcer>()
const counts = {
  invoke: 0,
  status: 0,
  scale: 0,
  /** Scale calls that were refused because of another one. */
  conflict: 0,
  list: 0,
  namespaces: 0,
  other: 0,
  announcement: 0,
  /** Announcements that were not accepted. */
  refusal: 0,
}
const requestLine = /^([A-Z]+) (\/function\/|\/system\/[^/? ]+\/?)([^/? ]*)/
const fenceLine = /\r\nx-pilotlight-fence:[ \t]*(\d+)/i

/** A request, and the number of the connection that it came over. */
type NumberedRequest = BareRequest & { readonly connection: number }

function answerTo(request: NumberedRequest): Buffer | Promise<Buffer> {
  const [, method, route, name = ''] = requestLine.exec(request.head) ?? []
  if (route === '/function/') return invoke(functions.get(name))
  switch (`${method} ${route}`) {
    case 'GET /system/function/':
      return status(functions.get(name), request)
    case 'POST /system/scale-function/':
      return scale(functions.get(name), request)
    case 'GET /system/functions':
      counts.list += 1
      return json([...functions.values()].map((one) => one.status()))
    case 'GET /system/namespaces':
      counts.namespaces += 1
      return noNamespaces
    default:
      counts.other += 1
      return unknown
  }
}

function invoke(called: ColdFunction | undefined): Buffer {
  counts.invoke += 1
  if (called === undefined) return unknown
  return called.isReady ? hello : noEndpoint
}

function status(asked: ColdFunction | undefined, { connection }: NumberedRequest): Buffer {
  counts.status += 1
  asked?.calls.push({ kind: 'status', atMs: machineMs(), connection })
  return asked === undefined ? unknown : json(asked.status())
}

async function scale(scaled: ColdFunction | undefined, { head, body, connection }: NumberedRequest): Promise<Buffer> {
  counts.scale += 1
  if (scaled === undefined) return unknown
  scaled.calls.push({ kind: 'scale', atMs: machineMs(), connection })
  const { replicas } = JSON.parse(body.toString()) as { replicas: unknown } // the API's own shape
  if (typeof replicas !== 'number' || replicas < 1) return refused
  const outcome = await scaled.scaleTo(replicas, Number(fenceLine.exec(head)?.[1] ?? 0))
  if (outcome !== 'accepted') counts.conflict += 1
  return answerToScale(outcome, scaled)
}

function answerToScale(outcome: ScaleOutcome, { fence }: ColdFunction): Buffer {
  switch (outcome) {
    case 'accepted':
      return accepted
    case 'outdated':
      return prepared('409 Conflict', 'text/plain', '', `X-Pilotlight-Fence: ${fence}\r\n`)
    case 'conflicting':
      return conflicting
  }
}

function announcerTo(url: string): Announcer {
  const known = announcers.get(url)
  if (known !== undefined && !known.isClosed) return known
  const announcer = new Announcer(url, () => (counts.refusal += 1))
  announcers.set(url, announcer)
  return announcer
}

function announce({ name, announceTo }: ColdScript): void {
  if (announceTo === undefined) return
  counts.announcement += 1
  announcerTo(announceTo).announce(name)
}

function add(script: ColdScript): void {
  functions.set(script.name, new ColdFunction(script, announce))
  // Connects now, so that an announcement is nothing but a write.
  if (script.announceTo !== undefined) announcerTo(script.announceTo)
}

let lastConnection = 0

function serve(socket: Socket): void {
  lastConnection += 1
  const connection = lastConnection
  const reader = new RequestReader((request) => {
    const answer = answerTo({ ...request, connection })
    if (answer instanceof Promise) void answer.then((bytes) => socket.write(bytes))
    else socket.write(answer)
  })
  socket.on('error', () => socket.destroy())
  socket.on('data', (piece: Buffer) => {
    try {
      reader.push(piece)
    } catch {
      socket.end(refused)
    }
  })
}

function obey(command: ProviderCommand): unknown {
  switch (command.do) {
    case 'add':
      add(command.script)
      return undefined
    case 'remove':
      functions.get(command.name)?.[Symbol.dispose]()
      functions.delete(command.name)
      return undefined
    case 'counts':
      return counts
    case 'readyAtMs':
      return functions.get(command.name)?.readyAtMs
    case 'calls':
      return functions.get(command.name)?.calls ?? []
  }
}

const server = createServer({ noDelay: true }, serve)
process.on('message', (command: ProviderCommand) => {
  const answer: ProviderAnswer = { to: command.id, value: obey(command) }
  process.send?.(answer)
})
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo // a TCP server's address
  process.send?.({ url: `http://127.0.0.1:${port}` })
})

/**
 * The provider of the cold starts: the part of the provider API that a gateway needs for a wake, and the functions behind it,
 * on bare sockets with prepared answers, so that it takes little of the CPU that it shares with the callers. A process of its
 * own; obeys the messages of cold-provider-process.ts.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ColdFunction } from './cold-function.ts'
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
const noNamespaces = json([])

const functions = new Map<string, ColdFunction>()
const counts = { invoke: 0, status: 0, scale: 0, list: 0, namespaces: 0, other: 0 }
const requestLine = /^([A-Z]+) (\/function\/|\/system\/[^/? ]+\/?)([^/? ]*)/

function answerTo({ head, body }: BareRequest): Buffer {
  const [, method, route, name = ''] = requestLine.exec(head) ?? []
  if (route === '/function/') return invoke(functions.get(name))
  switch (`${method} ${route}`) {
    case 'GET /system/function/':
      return status(functions.get(name))
    case 'POST /system/scale-function/':
      return scale(functions.get(name), body)
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

function status(asked: ColdFunction | undefined): Buffer {
  counts.status += 1
  return asked === undefined ? unknown : json(asked.status())
}

function scale(scaled: ColdFunction | undefined, body: Buffer): Buffer {
  counts.scale += 1
  if (scaled === undefined) return unknown
  const { replicas } = JSON.parse(body.toString()) as { replicas: unknown } // the API's own shape
  if (typeof replicas !== 'number' || replicas < 1) return refused
  scaled.scaleTo(replicas)
  return accepted
}

function serve(socket: Socket): void {
  const reader = new RequestReader((request) => socket.write(answerTo(request)))
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
      functions.set(command.script.name, new ColdFunction(command.script))
      return undefined
    case 'remove':
      functions.get(command.name)?.[Symbol.dispose]()
      functions.delete(command.name)
      return undefined
    case 'counts':
      return counts
    case 'readyAtMs':
      return functions.get(command.name)?.readyAtMs
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

/**
 * undici bare: node:http in front, Pool.dispatch behind, hop-by-hop headers stripped, headers passed as they came. With
 * `WORKERS` above 1 so many processes accept from one listening socket, and this one only starts them.
 */
import cluster from 'node:cluster'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'
import { announce } from './bench-process.ts'

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'proxy-connection',
])
const pool = new Pool(process.env['UPSTREAM_URL'] ?? '', { connections: 1024, headersTimeout: 0, bodyTimeout: 0 })

function withoutHops(raw: readonly (string | Buffer)[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = String(raw[i])
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, String(raw[i + 1]))
  }
  return kept
}

function handlerFor(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart(): void {},
    onResponseStart(controller, status): void {
      response.writeHead(status, withoutHops(controller.rawHeaders as readonly Buffer[])) // HTTP/1.1 delivers buffers
    },
    onResponseData(controller, piece): void {
      if (response.write(piece)) return
      controller.pause()
      response.once('drain', () => controller.resume())
    },
    onResponseEnd(): void {
      response.end()
    },
    onResponseError(): void {
      response.destroy()
    },
  }
}

function forward(request: IncomingMessage, response: ServerResponse): void {
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method as Dispatcher.HttpMethod, // undici takes any token
      headers: withoutHops(request.rawHeaders),
      body: request.method === 'GET' || request.method === 'HEAD' ? null : request,
    },
    handlerFor(response),
  )
}

function listen(port: number, onListening: (port: number) => void): void {
  const server = createServer(forward)
  // A TCP server's address is always of this type.
  server.listen(port, '127.0.0.1', 4096, () => onListening((server.address() as AddressInfo).port))
}

/** All workers are handed the one socket that the first one asks for: port 0 is the same port for all of them. */
async function startWorkers(count: number): Promise<void> {
  cluster.schedulingPolicy = cluster.SCHED_NONE
  const listening = Array.from({ length: count }, () => {
    const worker = cluster.fork()
    return new Promise<number>((resolve) => worker.once('listening', ({ port }) => resolve(port)))
  })
  const [port = 0] = await Promise.all(listening)
  announce(port)
}

const workers = Number(process.env['WORKERS'] ?? '1')
if (!cluster.isPrimary) listen(0, () => {})
else if (workers === 1) listen(0, announce)
else await startWorkers(workers)

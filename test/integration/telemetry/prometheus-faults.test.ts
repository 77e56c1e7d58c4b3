import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { PrometheusCounts } from '../../../plugins/add-metrics/prometheus-counts.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

const timeoutMs = 300
const sockets = new Set<Socket>()
let server: Server | undefined

guardAgainstLeaks()

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
})

/** Serves one way of being broken: `fault` gets each connection once a request came. */
async function brokenPrometheus(fault: (socket: Socket) => void): Promise<URL> {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => fault(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) // a listening TCP server has this kind of address
}

function answer(status: string, body: string, length = Buffer.byteLength(body)): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
}

function drip(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"status":"succ')
  const timer = setInterval(() => socket.write(' '), 20)
  socket.once('close', () => clearInterval(timer))
}

function flood(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  const piece = Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`)
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
    if (!socket.destroyed) socket.once('drain', more)
  }
  more()
}

const faults: Readonly<Record<string, (socket: Socket) => void>> = {
  'that resets': (socket) => socket.resetAndDestroy(),
  'that hangs up': (socket) => socket.end(),
  'that hangs before its answer': () => {},
  'that drips its answer': drip,
  'that floods': flood,
  'that fails with 500': (socket) => socket.end(answer('500 Internal Server Error', '{"status":"error"}')),
  'that wants other credentials': (socket) => socket.end(answer('401 Unauthorized', 'no')),
  'that sends elsewhere': (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  'that is a login page': (socket) => socket.end(answer('200 OK', '<html>Sign in</html>')),
  'that dies in the middle': (socket) => socket.end(answer('200 OK', '{"status":"success","data":{"resultTyp', 500)),
  'that sends half of its JSON': (socket) => socket.end(answer('200 OK', '{"status":"success","data":{"resultTyp')),
  'that answers another question': (socket) =>
    socket.end(answer('200 OK', '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}')),
  'that speaks no HTTP': (socket) => socket.end('220 mail.example ESMTP\r\n'),
}

async function ask(url: URL) {
  const clock = new SystemClock()
  const log = new FakeLogger()
  await using http = new UndiciHttpClient({ clock, connectTimeoutMs: 1_000 })
  const options = { url, timeoutMs, pauseMs: 5_000, userAgent: 'test' }
  const counts = new PrometheusCounts({ http, clock, log, random: () => 0, options })
  const startedMs = clock.monotonicMs()
  const first = await counts.in(['fn'])
  const tookMs = clock.monotonicMs() - startedMs
  const second = await counts.in(['fn'])
  return { first, tookMs, second, log }
}

describe('PrometheusCounts with a Prometheus', () => {
  it.each(Object.keys(faults))('%s gives no counts, in time, and is left alone for a while', async (name) => {
    let asked = 0
    const url = await brokenPrometheus((socket) => {
      asked += 1
      faults[name]?.(socket)
    })

    const { first, tookMs, second, log } = await ask(url)

    expect([first, second]).toEqual([undefined, undefined])
    expect(tookMs).toBeLessThan(timeoutMs + 1_000)
    expect(asked).toBe(1)
    expect(log.messages('warn')).toHaveLength(1)
  })

  it('that is not there gives no counts', async () => {
    const url = await brokenPrometheus(() => {})
    await new Promise((resolve) => server?.close(resolve))

    expect((await ask(url)).first).toBeUndefined()
  })
})

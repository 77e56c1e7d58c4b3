import { expect, it } from 'vitest'
import { seededRandom } from '../../model/simulated-time.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { H1Gateway } from './h1-gateway.ts'
import { answer, type Answerer, answering, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

const random = seededRandom(1)
const maxConnections = 10

function anyOf<T>(choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0]
}

const behaviours: readonly [Answerer, ...Answerer[]] = [
  answering('ok'),
  answering('x'.repeat(700_000)),
  ({ socket }) => void socket.destroy(),
  // A reset while the end is being sent would leave the handle of this side open for ever.
  ({ socket }) => void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy()),
  ({ socket }) => void socket.end(answer('ok')),
  ({ socket }) => void socket.write(`${answer('ok')}more`),
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart', () => socket.destroy()),
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'),
  ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz'),
  ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
  () => {},
]

const requests: readonly [string, ...string[]] = [
  requestBytes('GET', '/', ['X-Origin: 0']),
  requestBytes('GET', '/', ['X-Origin: 1']),
  `${requestBytes('POST', '/', ['X-Origin: 2', 'Transfer-Encoding: chunked'])}5\r\nhello\r\n0\r\n\r\n`,
  `${requestBytes('POST', '/', ['X-Origin: 2', 'Transfer-Encoding: chunked'])}5\r\nhello\r\n`,
  requestBytes('POST', '/', ['X-Origin: 0', 'Content-Length: 300000']) + 'x'.repeat(300_000),
]

it('a storm of faults of upstreams and clients leaves every connection in its place', async () => {
  await using one = await RawUpstream.start()
  await using two = await RawUpstream.start()
  await using three = await RawUpstream.start()
  const upstreams = [one, two, three]
  for (const upstream of upstreams) upstream.answer = (...call) => anyOf(behaviours)(...call)
  await using gateway = await H1Gateway.start({
    origins: upstreams.map(({ origin }) => origin),
    maxConnectionsPerUpstream: 6,
    maxConnections,
    timeoutMs: 60,
    attempts: 2,
  })

  await Promise.all(Array.from({ length: 20 }, () => manyCalls(gateway, 20)))
  for (const upstream of upstreams) upstream.answer = answering('calm')

  const calm = Array.from({ length: 60 }, (_, i) => gateway.get(i % 3))
  expect(new Set(await Promise.all(calm))).toEqual(new Set(['calm']))
  await eventually('no more connections than allowed', () => {
    return upstreams.reduce((open, upstream) => open + upstream.open, 0) <= maxConnections
  })
})

/** Calls one after the other, each on a connection of its own; some clients leave early. */
async function manyCalls(gateway: H1Gateway, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await using client = await gateway.open()
    await client.send(anyOf(requests))
    if (random() < 0.3) client.abort()
    else expect([200, 502, 504]).toContain((await client.begun()).status)
  }
}

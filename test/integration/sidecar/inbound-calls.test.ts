import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { call, startCall } from '../../support/callers.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { fieldOf } from '../../support/raw-response.ts'
import { type RunningSidecar, runSidecar } from './running-sidecar.ts'

guardAgainstLeaks()

const ofGateway = { 'x-pilotlight-gateway': 'a' }

async function load({ adminUrl }: RunningSidecar): Promise<Record<string, number>> {
  return JSON.parse((await call(`${adminUrl}/load`)).body) as Record<string, number> // InstanceLoad
}

describe('a call through a sidecar', () => {
  it('reaches the function as it is, without what gateway and sidecar say to each other', async () => {
    await using sidecar = await runSidecar({
      handler: (request, response) => {
        response.setHeader('X-Pilotlight-Refusal', 'full')
        response.setHeader('X-Pilotlight-Other', 'x')
        response.setHeader('X-Own', 'kept')
        response.end(JSON.stringify([request.method, request.url, request.headers]))
      },
    })

    const answer = await call(`${sidecar.url}/a%20b?c=d`, {
      method: 'PUT',
      headers: { ...ofGateway, 'X-Pilotlight-Slot': 'nothing', 'X-PILOTLIGHT-anything': 'x', 'x-mine': 'y' },
      body: 'body',
    })
    const [method, url, headers] = JSON.parse(answer.body) as [string, string, Record<string, string>] // as the handler wrote it

    expect([method, url]).toEqual(['PUT', '/a%20b?c=d'])
    expect(Object.keys(headers).filter((name) => name.startsWith('x-pilotlight'))).toEqual([])
    expect(headers).toMatchObject({ 'x-mine': 'y', 'x-forwarded-for': '127.0.0.1', 'content-length': '4' })
    expect(headers['x-forwarded-host']).toBe(new URL(sidecar.url).host)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-pilotlight'))).toEqual([])
    expect(answer.headers['x-own']).toBe('kept')
  })

  it('keeps what a gateway said of the client', async () => {
    await using sidecar = await runSidecar({
      handler: (request, response) => response.end(JSON.stringify(request.headers)),
    })

    const headers = { 'X-Forwarded-For': '10.1.2.3', 'X-Forwarded-Host': 'example.com' }
    const answer = await call(sidecar.url, { headers })

    expect(JSON.parse(answer.body)).toMatchObject({ 'x-forwarded-for': '10.1.2.3', 'x-forwarded-host': 'example.com' })
  })

  it('keeps its trace context, and is given one when it has none that can be continued', async () => {
    await using sidecar = await runSidecar({
      handler: ({ headers }, response) =>
        response.end([headers['traceparent'], headers['tracestate'] ?? 'none'].join(' ')),
    })
    const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
    const headers = { tracestate: 'a=b' }

    const kept = await call(sidecar.url, { headers: { ...headers, traceparent: given } })
    const made = await call(sidecar.url)
    const replaced = await call(sidecar.url, { headers: { ...headers, traceparent: '00-zz' } })

    expect(kept.body).toBe(`${given} a=b`)
    expect(made.body).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01 none$/)
    expect(replaced.body).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01 none$/)
  })

  it('is refused to a gateway without a byte of its body read', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler: () => {} })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)
    await using connection = await RawConnection.open(sidecar.url)

    const fields = ['x-pilotlight-gateway: a', 'Expect: 100-continue', 'Content-Length: 1000000']
    await connection.send(requestBytes('POST', '/', fields))
    const refused = await connection.response('POST')
    const alsoRefused = await rawRequest(
      sidecar.url,
      requestBytes('POST', '/', ['x-pilotlight-gateway: a', 'Content-Length: 1000000']),
    )

    expect([refused.status, fieldOf(refused.fields, 'x-pilotlight-refusal')]).toEqual([503, 'full'])
    expect(refused.informational).toEqual([])
    expect(alsoRefused.status).toBe(503)
    expect(sidecar.seen.total).toBe(1)
    first.leave()
  })

  it('is refused where another instance is meant, slots included, and nothing of it reaches the function', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '1' } })
    const meant = { ...ofGateway, 'x-pilotlight-instance': 'who-was-here-before' }

    const mistaken = await call(sidecar.url, { headers: meant, method: 'POST', body: 'x' })
    const slots = await call(`${sidecar.url}/.pilotlight/slots`, { headers: meant, method: 'POST', body: '{}' })

    expect([mistaken.status, mistaken.headers['x-pilotlight-refusal']]).toEqual([503, 'mistaken'])
    expect([slots.status, slots.headers['x-pilotlight-refusal']]).toEqual([503, 'mistaken'])
    expect(sidecar.seen.total).toBe(0)
  })

  it('to a function that is not reached is refused to a gateway, which may go elsewhere, and a 503 to others', async () => {
    await using sidecar = await runSidecar()
    Object.assign(sidecar.runner, { origin: 'http://127.0.0.1:1' })

    const ofA = await call(sidecar.url, { headers: ofGateway, method: 'POST', body: 'x' })
    const other = await call(sidecar.url)

    expect([ofA.status, ofA.headers['x-pilotlight-refusal']]).toEqual([503, 'not_ready'])
    expect([other.status, other.headers['x-pilotlight-refusal']]).toEqual([503, undefined])
    expect(await load(sidecar)).toMatchObject({ inFlight: 0 })
  })

  it('that the function breaks off is a 502 before the answer, and cut inside it', async () => {
    await using sidecar = await runSidecar({
      handler: (request, response) => {
        if (request.url === '/before') request.socket.destroy()
        else {
          response.setHeader('content-length', '1000')
          response.write('half')
          setImmediate(() => request.socket.resetAndDestroy())
        }
      },
    })

    const before = await call(`${sidecar.url}/before`, { method: 'POST', body: 'x' })
    await using connection = await RawConnection.open(sidecar.url)
    await connection.send(requestBytes('GET', '/inside'))
    const inside = await connection.response()

    expect([before.status, before.body]).toEqual([502, ''])
    expect([inside.status, inside.complete]).toEqual([200, false])
    expect(await connection.closed()).not.toBe('open')
    expect(await load(sidecar)).toMatchObject({ inFlight: 0 })
  })

  it('without a body is repeated when the function closes the connection just as it is used again', async () => {
    let calls = 0
    await using sidecar = await runSidecar({
      handler: (request, response) => {
        calls += 1
        if (calls === 2) request.socket.destroy()
        else response.end('x')
      },
    })

    const outcomes = [await call(sidecar.url), await call(sidecar.url)]

    expect(outcomes.map(({ status }) => status)).toEqual([200, 200])
    expect(calls).toBe(3)
  })

  it('that takes longer than exec_timeout is a 504', async () => {
    await using sidecar = await runSidecar({ env: { exec_timeout: '100ms' }, handler: () => {} })

    const { status } = await call(sidecar.url)

    expect(status).toBe(504)
    expect(await load(sidecar)).toMatchObject({ inFlight: 0 })
  })

  it('whose client leaves is not kept up, and its slot is free', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler: () => {} })
    const leaving = startCall(sidecar.url)
    await eventually('the call', () => sidecar.seen.now === 1)

    leaving.leave()
    await eventually('the function to be left, too', () => sidecar.seen.now === 0)

    expect(await load(sidecar)).toMatchObject({ inFlight: 0 })
  })

  it('passes 100 MB up and back in bounded memory', async () => {
    const [up, down] = [createHash('sha256'), createHash('sha256')]
    await using sidecar = await runSidecar({
      handler: (request, response) => {
        request.on('data', (piece: Buffer) => up.update(piece))
        response.setHeader('content-length', request.headers['content-length'] ?? '')
        request.pipe(response)
      },
    })
    const piece = randomBytes(1024 * 1024)
    const expected = createHash('sha256')
    for (let i = 0; i < 100; i += 1) expected.update(piece)
    const hash = expected.digest('hex')
    const before = process.memoryUsage().arrayBuffers
    let most = 0

    const received = await upload(sidecar.url, piece, (bytes) => {
      down.update(bytes)
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    })

    expect(received).toBe(100 * piece.byteLength)
    expect([up.digest('hex'), down.digest('hex')]).toEqual([hash, hash])
    // Client, sidecar and function are all in this process, and collect their garbage when they like.
    expect(most).toBeLessThan(90 * 1024 * 1024)
  }, 60_000)
})

describe('a stream through a sidecar', () => {
  it('of events counts as in flight until it ends, and passes each event as it comes', async () => {
    let send: (text: string) => void = () => {}
    let end = (): void => {}
    await using sidecar = await runSidecar({
      handler: (_request, response) => {
        response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
        response.flushHeaders()
        send = (text) => void response.write(text)
        end = () => void response.end()
      },
    })
    await using connection = await RawConnection.open(sidecar.url)
    await connection.send(requestBytes('GET', '/events'))
    await connection.begun()

    send('data: 1\n\n')
    await connection.shows('data: 1')
    const open = await load(sidecar)
    end()
    await connection.response()
    const ended = await eventually('the stream to be over', async () => {
      const now = await load(sidecar)
      return now['streams'] === 0 ? now : undefined
    })

    expect(open).toMatchObject({ inFlight: 1, streams: 1, idleForMs: 0 })
    expect(ended).toMatchObject({ inFlight: 0, streams: 0 })
    expect(ended['idleForMs']).toBeGreaterThanOrEqual(0)
  })

  it('of a WebSocket counts as in flight, holds its slot, and passes messages both ways', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    await using sidecar = await runSidecar({
      env: { max_inflight: '1' },
      upgrade: (request, socket) => {
        sockets.handleUpgrade(request, socket, Buffer.alloc(0), (server) =>
          server.on('message', (data: Buffer) => server.send(`echo ${data.toString()}`)),
        )
      },
    })

    const client = new WebSocket(sidecar.url.replace('http', 'ws'))
    await new Promise((resolve) => client.once('open', resolve))
    const echoed = new Promise((resolve) => client.once('message', (data: Buffer) => resolve(data.toString())))
    client.send('hello')
    const message = await echoed
    const open = await load(sidecar)
    const full = await call(sidecar.url, { headers: ofGateway })
    const closed = new Promise((resolve) => client.once('close', resolve))
    client.close()
    await closed
    await eventually('the slot to be free', async () => (await load(sidecar))['inFlight'] === 0)
    const after = await call(sidecar.url, { headers: ofGateway })

    expect(message).toBe('echo hello')
    expect(open).toMatchObject({ inFlight: 1, streams: 1 })
    expect(full.headers['x-pilotlight-refusal']).toBe('full')
    expect(after.status).toBe(200)
  })
})

/** Uploads a piece a hundred times with back-pressure; resolves with how many bytes of body came back. */
function upload(url: string, piece: Buffer, onData: (bytes: Buffer) => void): Promise<number> {
  const { port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    const length = 100 * piece.byteLength
    let headLeft = true
    let received = 0
    let sent = 0
    const send = (): void => {
      while (sent < 100) {
        sent += 1
        if (!socket.write(piece)) return
      }
    }
    socket.on('error', reject)
    socket.on('drain', send)
    socket.on('data', (bytes: Buffer) => {
      const body = headLeft ? bytes.subarray(bytes.indexOf('\r\n\r\n') + 4) : bytes
      headLeft = false
      onData(body)
      received += body.byteLength
    })
    socket.once('close', () => resolve(received))
    socket.write(requestBytes('POST', '/', [`Content-Length: ${length}`, 'Connection: close']))
    send()
  })
}

import { createServer, type AddressInfo, type Server } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { FunctionHarness, isAlive, serverProgram, type FunctionOptions } from './function-harness.ts'

guardAgainstLeaks()

const path = { PATH: process.env['PATH'] ?? '' }

/** A server that is started here; text is run by a shell. */
function server(program: string | readonly string[], options: FunctionOptions = {}): Promise<FunctionHarness> {
  const command = typeof program === 'string' ? ['/bin/sh', '-c', program] : program
  return FunctionHarness.start({ mode: 'http', command, ...options })
}

/** Somebody who holds a port. */
async function holder(): Promise<AsyncDisposable & { readonly port: number; readonly server: Server }> {
  const held = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve))
  return {
    server: held,
    port: (held.address() as AddressInfo).port, // of a TCP server
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => held.close(() => resolve())),
  }
}

describe('function that is a server of its own', () => {
  it('is called on the port that it was given, and told of it in three ways', async () => {
    await using one = await FunctionHarness.serve({ color: 'blue' })

    const env = JSON.parse(await one.get('/env')) as Record<string, string> // what the program prints

    expect(await one.get('/a%2Fb?x=%20')).toBe('GET /a%2Fb?x=%20')
    expect(env).toEqual({
      ...path,
      color: 'blue',
      PORT: expect.stringMatching(/^2\d{4}$/),
      port: env['PORT'],
      upstream_url: `http://127.0.0.1:${env['PORT']}`,
    })
    expect(one.lines.stderr[0]).toMatch(/ Forking fprocess: \S+ \S+function-program.js, port 2\d{4}$/)
  })

  it('has its output written with date and stream', async () => {
    await using one = await FunctionHarness.serve()

    await one.call('/say?out=hello&err=oops')

    await eventually('both lines', () => one.lines.stdout.length === 1 && one.lines.stderr.length === 2)
    expect(one.lines.stdout[0]).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d stdout: hello$/)
    expect(one.lines.stderr[1]).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d stderr: oops$/)
  })

  it('has its output written as it is where no prefix is wanted', async () => {
    await using one = await FunctionHarness.serve({}, { prefixLogs: false })

    await one.call('/say?out=hello&err=oops')

    await eventually('both lines', () => one.lines.stdout[0] === 'hello' && one.lines.stderr[1] === 'oops')
  })

  it('passes on a WebSocket', async () => {
    await using one = await FunctionHarness.serve()
    await using socket = await one.open()
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13']

    await socket.send(requestBytes('GET', '/', fields))
    await socket.shows('101 Switching Protocols')
    await socket.send('ping')

    await socket.shows('ping')
  })

  it('takes a body of any size', async () => {
    await using one = await FunctionHarness.serve()

    const answer = await one.call('/upload', { method: 'POST', body: 'x'.repeat(20 << 20) })

    expect(answer.body.toString()).toBe(String(20 << 20))
  })

  it('is not ready while it does not listen, and after a while says so', async () => {
    await using deaf = await server('sleep 65')

    const answer = await deaf.call('/')
    const reason = await deaf.reason(/./)

    expect(answer.status).toBe(502)
    expect(deaf.errors[0]?.details).toEqual({ accepted: false })
    expect(reason).toMatch(/^nobody listens on port 2\d{4}$/)
    expect(deaf.runner.isReady).toBe(false)
  })

  it('is killed and started again when it never listens', async () => {
    await using deaf = await server('sleep 65', { startTimeoutMs: 100 })

    const reason = await deaf.reason(/failure 1/)

    expect(reason).toMatch(/^process did not become ready on port \d+ within 100 ms; failure 1, next start in \d+ ms$/)
  })

  it('says why it exits at once, and starts it again with growing pauses', async () => {
    await using exits = await server('echo broken >&2; exit 3')

    const reason = await exits.reason(/failure 3/)

    expect(reason).toMatch(
      /^process ended before it listened on port \d+: exit status 3; failure 3, next start in 360 ms$/,
    )
    expect(exits.lines.stderr.join('\n')).toContain('stderr: broken')
    expect(exits.lines.stderr.join('\n')).toContain(reason)
    const pauses = exits.changes.map((change) => /in (\d+) ms/.exec(change.reason)?.[1])
    expect(pauses.filter((pause) => pause !== undefined)).toEqual(['90', '180', '360'])
  })

  it.each([
    ['that does not exist', ['/no/such/program'], {}],
    ['that may not be run', ['/etc/passwd'], {}],
    ['with arguments beyond what the system takes', ['echo', 'x'.repeat(200_000)], {}],
    ['with an environment beyond what the system takes', serverProgram, { ...path, LONG: 'x'.repeat(200_000) }],
  ])('says that it is a program %s', async (_what, command, environment) => {
    await using broken = await server(command, { environment })

    expect(await broken.reason(/failure 2/)).toMatch(/^cannot start: spawn .*(ENOENT|EACCES|E2BIG); failure 2/)
  })

  it('is started again when it exits later', async () => {
    await using one = await FunctionHarness.serve()
    const before = await one.get('/pid')

    const answer = await one.call('/exit?code=7')
    await eventually('a new process', async () => {
      const { status, body } = await one.call('/pid')
      return status === 200 && body.toString() !== before
    })

    expect(answer.status).toBe(502)
    expect(one.errors[0]?.details).toEqual({ accepted: true })
    expect(one.changes.map(({ reason }) => reason)).toContain(
      'process ended: exit status 7; failure 1, next start in 90 ms',
    )
    expect(one.runner.reason).toBe('')
  })

  it('is started again when it exits as if all were well', async () => {
    await using one = await FunctionHarness.serve()

    await one.call('/exit?code=0')

    await one.reason(/process ended: exit status 0/)
    await one.ready()
  })

  it('never looks complete when it dies inside the body', async () => {
    await using dying = await FunctionHarness.serve()

    const answer = await dying.call('/die-inside')

    expect(answer.status).toBe(200)
    expect(answer.complete).toBe(false)
    expect(await dying.reason(/./)).toContain('process ended: signal: SIGKILL')
  })

  it('has a call ended that takes too long, and goes on with others', async () => {
    await using hanging = await FunctionHarness.serve({}, { timeoutMs: 100 })

    const answer = await hanging.call('/hang')

    expect(answer.status).toBe(504)
    expect(await hanging.get('/')).toBe('GET /')
    expect(hanging.changes).toHaveLength(1)
  })

  it('has children that stay ended with it', async () => {
    await using parent = await FunctionHarness.serve()
    const child = await parent.get('/child')

    await parent.call('/exit?code=1')

    await eventually('the child to end', () => !isAlive(child))
    await parent.ready()
  })

  it('ends when it is asked to', async () => {
    await using one = await FunctionHarness.serve()
    const pid = await one.get('/pid')

    await one.runner.stop(10_000)

    expect(isAlive(pid)).toBe(false)
    expect(one.runner).toMatchObject({ isReady: false, reason: '' })
    expect((await one.call('/')).status).toBe(502)
  })

  it('is killed when it ignores that', async () => {
    await using stubborn = await FunctionHarness.serve({ ignore_sigterm: 'true' })
    const [pid, child] = [await stubborn.get('/pid'), await stubborn.get('/child')]

    const stopped = stubborn.runner.stop(100)
    await eventually('the signal to be ignored', () => stubborn.lines.stdout.join().includes('ignored SIGTERM'))
    expect(isAlive(pid)).toBe(true)
    await stopped

    expect(isAlive(pid)).toBe(false)
    await eventually('its child to end', () => !isAlive(child))
  })

  it('is killed at once when the second wish to stop has less patience', async () => {
    await using stubborn = await FunctionHarness.serve({ ignore_sigterm: 'true' })

    const stopped = stubborn.runner.stop(60_000)
    await eventually('the signal to be ignored', () => stubborn.lines.stdout.join().includes('ignored SIGTERM'))
    await stubborn.runner.stop(0)

    await stopped
  })

  it('is not started any more when it is stopped between two starts', async () => {
    await using exits = await server('exit 3')
    await exits.reason(/failure 2/)

    await exits.runner.stop(1_000)

    const starts = exits.lines.stderr.filter((line) => line.includes('Forking')).length
    expect(starts).toBe(2)
    expect(exits.runner.reason).toBe('')
  })

  it('waits for the port that it insists on, and says so', async () => {
    await using port = await holder()
    const upstream = new URL(`http://127.0.0.1:${port.port}/base/`)
    const command = `echo $upstream_url >url; exec ${serverProgram.join(' ')}`
    await using insisting = await server(command, { upstream, environment: path })

    const reason = await insisting.reason(/./)
    await new Promise((resolve) => port.server.close(resolve))
    await insisting.ready()

    expect(reason).toMatch(new RegExp(`^port ${port.port} is taken; failure 1`))
    expect(await insisting.get('/x')).toBe('GET /base/x')
    expect(await insisting.file('url')).toBe(`http://127.0.0.1:${port.port}/base`)
  })

  it('is recorded while it runs, for whoever cleans up behind a killed sidecar', async () => {
    const processRecords = mkdtempSync(join(tmpdir(), 'pilotlight-records-'))
    const one = await FunctionHarness.serve({}, { processRecords })
    const pid = await one.get('/pid')
    const during = readdirSync(processRecords)

    await one[Symbol.asyncDispose]()
    const after = readdirSync(processRecords)
    rmSync(processRecords, { recursive: true })

    expect(during).toEqual([pid])
    expect(after).toEqual([])
  })

  it('answers while it floods its output without a single line end', { timeout: 60_000 }, async () => {
    let longest = 0
    let bytes = 0
    const stdout = new Writable({
      write(piece: Buffer, _encoding, done) {
        longest = Math.max(longest, piece.byteLength)
        bytes += piece.byteLength
        done()
      },
    })
    await using flooding = await FunctionHarness.serve({}, { stdout })
    const memoryBefore = process.memoryUsage().rss

    await flooding.call('/flood?bytes=100000000')
    await eventually('the flood to come', () => bytes > 3_000_000)
    for (let i = 0; i < 20; i += 1) await flooding.get('/')

    expect(longest).toBeLessThan(9_000)
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(50_000_000)
  })

  it('waits, and nothing piles up here, while nobody takes its output', async () => {
    const taken: (() => void)[] = []
    const stdout = new Writable({ highWaterMark: 1024, write: (_piece, _encoding, done) => void taken.push(done) })
    await using flooding = await FunctionHarness.serve({}, { stdout })

    await flooding.call('/flood?bytes=10000000')
    await eventually('the first lines', () => taken.length > 0)
    const answer = await flooding.get('/')

    expect(answer).toBe('GET /')
    expect(stdout.writableLength).toBeLessThan(200_000)
  })

  it('goes on when the reader of its output has gone', async () => {
    const stdout = new Writable({ write: (_piece, _encoding, done) => done(new Error('nobody reads')) })
    await using talking = await FunctionHarness.serve({}, { stdout })

    for (let i = 0; i < 3; i += 1) await talking.call('/say?out=hello&err=oops')

    await eventually('the other stream', () => talking.lines.stderr.length === 4)
    expect(await talking.get('/')).toBe('GET /')
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { FunctionHarness, isAlive, type FunctionOptions } from './function-harness.ts'

guardAgainstLeaks()

/** A program that is forked for each call; text is run by a shell. */
function classic(program: string | readonly string[], options: FunctionOptions = {}): Promise<FunctionHarness> {
  const command = typeof program === 'string' ? ['/bin/sh', '-c', program] : program
  return FunctionHarness.start({ mode: 'classic', command, ...options })
}

describe('forked function', () => {
  it('is ready at once', async () => {
    await using one = await classic(['cat'])

    expect(one.changes).toEqual([{ isReady: true, reason: '' }])
  })

  it('gets the body on standard input and answers from standard output', async () => {
    await using upper = await classic(['tr', 'a-z', 'A-Z'])

    const answer = await upper.call('/', { method: 'POST', body: 'hello', fields: ['Content-Type: text/x-test'] })

    expect(answer.status).toBe(200)
    expect(answer.fields).toContainEqual(['Content-Type', 'text/x-test'])
    expect(answer.body.toString()).toBe('HELLO')
    expect(upper.lines.stderr[0]).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Forking fprocess: tr a-z A-Z$/)
    await eventually('the second line', () => upper.lines.stderr.length === 2)
    expect(upper.lines.stderr[1]).toMatch(/Wrote 5 Bytes - Duration: \d+\.\d+ seconds$/)
  })

  it('has the type that was set for all its answers', async () => {
    await using html = await classic(['cat'], { contentType: 'text/html' })

    const answer = await html.call('/', { method: 'POST', body: 'x', fields: ['Content-Type: text/x-test'] })

    expect(answer.fields).toContainEqual(['Content-Type', 'text/html'])
  })

  it('learns about the call from its variables, and has nothing of the sidecar', async () => {
    process.env['PILOTLIGHT_TEST_LEAK'] = 'leaked'
    await using env = await classic(['env'], { environment: { color: 'blue', PATH: '/usr/bin:/bin' } })

    const fields = ['X-Call-ID: 7', 'Method: POST', 'path: /evil', 'Transfer-encoding-not: x', 'pROXY: http://evil']
    const answer = await env.call('/a%20b/%2e?x=%20y', { fields })
    delete process.env['PILOTLIGHT_TEST_LEAK']

    expect(answer.body.toString().trim().split('\n').toSorted()).toEqual([
      'Http_ContentLength=0',
      'Http_Host=gateway.test',
      'Http_Method=GET',
      'Http_Path=/a b/.',
      'Http_Query=x=%20y',
      'Http_Transfer_Encoding_Not=x',
      'Http_X_Call_Id=7',
      'PATH=/usr/bin:/bin',
      'color=blue',
    ])
  })

  it('is told that its body comes in chunks', async () => {
    await using env = await classic('cat >/dev/null; env')
    await using connection = await env.open()

    await connection.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n')
    const lines = (await connection.response('POST')).body.toString().split('\n')

    expect(lines).toEqual(expect.arrayContaining(['Http_Transfer_Encoding=chunked', 'Http_ContentLength=-1']))
  })

  it('is given a raw path that would end early as a variable', async () => {
    await using echo = await classic('echo $Http_Path')

    expect(await echo.get('/a%00b')).toBe('/a%00b\n')
  })

  it('answers 500 when it fails, without what it wrote before', async () => {
    // Time stands still: however slow the machine, the program has ended before its output is let go.
    await using failing = await classic('echo half; echo oops >&2; exit 3', { clock: new FakeClock() })

    const answer = await failing.call('/')

    expect(answer.status).toBe(500)
    expect(answer.body.toString()).toBe('exit status 3\n')
    await eventually('the error in the log', () => failing.lines.stderr.some((line) => line.endsWith('stderr: oops')))
  })

  it.each([
    ['a program that does not exist', ['/no/such/program'], ''],
    ['a program that may not be run', ['/etc/passwd'], ''],
    ['arguments beyond what the system takes', ['echo', 'x'.repeat(200_000)], ''],
    ['a header beyond what the system takes', ['echo'], 'x'.repeat(200_000)],
  ])('answers 500 with %s', async (_what, command, header) => {
    await using broken = await classic(command)

    const answer = await broken.call('/', { fields: [`X-Long: ${header}`] })

    expect(answer.status).toBe(500)
    expect(answer.body.toString()).toContain('cannot start: spawn')
  })

  it('shows its first bytes while it still runs', async () => {
    await using writer = await classic('echo first; cat >/dev/null; echo last')
    await using connection = await writer.open()

    // 1. the body is not complete yet
    await connection.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
    await connection.shows('first')
    // 2. now it is
    await connection.send('0\r\n\r\n')
    const answer = await connection.response('POST')

    expect(answer.complete).toBe(true)
    expect(answer.body.toString()).toBe('first\nlast\n')
  })

  it('never looks complete when it dies inside the body', async () => {
    await using dying = await classic('echo begun; sleep 0.05; kill -9 $$')

    const answer = await dying.call('/')

    expect(answer.body.toString()).toBe('begun\n')
    expect(answer.complete).toBe(false)
  })

  it('is killed with its whole group when its time is over', async () => {
    await using hanging = await classic('sleep 61 & echo $! >pid; wait', { timeoutMs: 100 })

    const answer = await hanging.call('/')

    expect(answer.status).toBe(504)
    expect(answer.body.toString()).toBe('exec_timeout of 100ms is over\n')
    const pid = await hanging.file('pid')
    await eventually('the child of the function to end', () => !isAlive(pid))
  })

  it('is killed when its body does not come in time', async () => {
    await using waiting = await classic(['cat'], { readTimeoutMs: 100 })
    await using connection = await waiting.open()

    await connection.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
    const answer = await connection.begun('POST')

    expect(answer.status).toBe(200) // what it wrote of the answer was on its way already
    expect((await connection.response('POST')).complete).toBe(false)
  })

  it('has an answer cut that its time overtakes', async () => {
    await using endless = await classic('while :; do echo tick; sleep 0.02; done', { timeoutMs: 150 })

    const answer = await endless.call('/')

    expect(answer.status).toBe(200)
    expect(answer.complete).toBe(false)
  })

  it.each([
    ['before the first byte', ''],
    ['inside the answer', 'echo begun;'],
  ])('is ended when its client leaves %s', async (_when, begun) => {
    await using abandoned = await classic(`echo $$ >pid.new; mv pid.new pid; ${begun} sleep 62`)
    const connection = await abandoned.open()
    await connection.send(requestBytes('GET', '/'))
    const pid = await abandoned.file('pid')
    if (begun !== '') await connection.shows('begun')

    await connection[Symbol.asyncDispose]()

    await eventually('the function to end', () => !isAlive(pid))
  })

  it('has an answer cut that its time overtakes, although the client does not read', async () => {
    const clock = new FakeClock()
    await using flood = await classic('echo $$ >pid.new; mv pid.new pid; exec cat /dev/zero', { clock })
    await using connection = await flood.open()
    connection.socket.pause()
    await connection.send(requestBytes('GET', '/'))
    const pid = await flood.file('pid')
    await eventually('the function to wait', async () => {
      const before = bytesWrittenBy(pid)
      await pause(200)
      return before > 0 && bytesWrittenBy(pid) === before
    })

    await clock.advance(10_000)
    await eventually('the end of the call', () => flood.lines.stderr.some((line) => line.includes('Wrote ')))

    expect(flood.errors).toEqual([])
  })

  it('is ended when its client leaves inside a body', async () => {
    await using reading = await classic('echo $$ >pid.new; mv pid.new pid; cat >/dev/null')
    const connection = await reading.open()
    await connection.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome')
    const pid = await reading.file('pid')

    await connection[Symbol.asyncDispose]()

    await eventually('the function to end', () => !isAlive(pid))
  })

  it('does not keep the answer open by children it leaves behind', async () => {
    await using leaving = await classic('sleep 64 & echo $! >pid; echo done')

    const answer = await leaving.call('/')

    expect(answer.body.toString()).toBe('done\n')
    const pid = await leaving.file('pid')
    await eventually('the child to end', () => !isAlive(pid))
  })

  it('does not keep the answer open by a child in a session of its own', async () => {
    const daemon = 'echo \\$\\$ >pid.new; mv pid.new pid; exec sleep 65'
    await using leaving = await classic(`setsid sh -c "${daemon}" & while [ ! -e pid ]; do sleep 0.01; done; echo done`)

    const answer = await leaving.call('/')
    const pid = await leaving.file('pid')
    const wasAlive = isAlive(pid)
    process.kill(Number(pid))

    expect(answer.body.toString()).toBe('done\n')
    expect(wasAlive).toBe(true)
  })

  it('may end without reading its input', async () => {
    await using deaf = await classic('echo ignored')

    const answer = await deaf.call('/', { method: 'POST', body: 'x'.repeat(5 << 20) })

    expect(answer.body.toString()).toBe('ignored\n')
  })

  it('may close its input and go on', async () => {
    await using closing = await classic('exec <&-; sleep 0.05; echo fine')

    const answer = await closing.call('/', { method: 'POST', body: 'x'.repeat(5 << 20) })

    expect(answer.body.toString()).toBe('fine\n')
  })

  it('makes a client wait whose body it does not read', async () => {
    await using deaf = await classic('while [ ! -e go ]; do sleep 0.01; done; wc -c')
    await using connection = await deaf.open()
    await connection.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 << 20}\r\n\r\n`)
    let sentBytes = 0
    const sending = (async (): Promise<void> => {
      for (; sentBytes < 64 << 20; sentBytes += 1 << 20) await connection.send(Buffer.alloc(1 << 20))
    })()

    // 1. it goes until the buffers on the way are full
    const heldBytes = await eventually('the client to wait', async () => {
      const before = sentBytes
      await pause(100)
      return sentBytes === before ? before : undefined
    })
    // 2. it goes on when the program reads
    await using helper = await classic(`touch ${deaf.directory}/go`)
    await helper.call('/')
    await sending
    const answer = await connection.response('POST')

    expect(heldBytes).toBeLessThan(32 << 20)
    expect(answer.body.toString().trim()).toBe(String(64 << 20))
  })

  it('is made to wait by a client that does not read, and then delivers its 100 MB', { timeout: 60_000 }, async () => {
    await using flood = await classic('echo $$ >pid.new; mv pid.new pid; exec head -c 100000000 /dev/zero')
    await using connection = await flood.open()
    connection.socket.pause()
    await connection.send(requestBytes('GET', '/'))
    const pid = await flood.file('pid')

    // 1. nobody reads: it writes until the pipes and sockets on the way are full
    const writtenBytes = await eventually('the function to wait', async () => {
      const before = bytesWrittenBy(pid)
      await pause(100)
      return bytesWrittenBy(pid) === before ? before : undefined
    })
    // 2. it goes on when the client does
    let receivedBytes = 0
    connection.socket.removeAllListeners('data')
    connection.socket.on('data', (piece: Buffer) => (receivedBytes += piece.byteLength)).resume()
    await eventually('all of it', () => receivedBytes > 100_000_000, 30_000)

    expect(writtenBytes).toBeLessThan(25_000_000)
  })

  it('refuses a WebSocket', async () => {
    await using one = await classic(['cat'])
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13']

    expect((await one.call('/', { fields })).status).toBe(400)
  })

  it('is not run in more processes than the limit', async () => {
    await using one = await classic(['cat'], { maxProcesses: 1 })
    await using first = await one.open()
    await first.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
    await eventually('the first call to run', () => one.lines.stderr.length === 1)

    const refused = await one.call('/')

    expect(refused.status).toBe(429)
    expect(refused.fields.map(([name]) => name)).toContain('Retry-After')
  })

  it('is ended with those of its calls that outlast the grace', async () => {
    await using stubborn = await classic('trap "" TERM; echo $$ >pid.new; mv pid.new pid; while :; do sleep 0.01; done')
    const call = stubborn.call('/')
    const pid = await stubborn.file('pid')

    await stubborn.runner.stop(50)

    expect(isAlive(pid)).toBe(false)
    expect((await call).body.toString()).toBe('signal: SIGKILL\n')
    expect(stubborn.changes.at(-1)).toEqual({ isReady: false, reason: '' })
    expect((await stubborn.call('/')).status).toBe(502)
  })
})

function bytesWrittenBy(pid: string): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1])
}

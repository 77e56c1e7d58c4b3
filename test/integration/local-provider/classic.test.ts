import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { ProviderHarness } from './harness.ts'
import { isAlive } from './processes.ts'

guardAgainstLeaks('file')

let provider: ProviderHarness
beforeAll(async () => {
  provider = await ProviderHarness.start()
})
afterAll(() => provider[Symbol.asyncDispose]())

/** Deploys a classic function under a name of its own and returns the name when it is ready. */
async function classic(service: string, envProcess: string, envVars: Record<string, string> = {}): Promise<string> {
  await provider.deploy({ service, envProcess, envVars })
  await provider.available(service, 1)
  return service
}

describe('classic function', () => {
  it('gets the body on standard input and answers from standard output', async () => {
    const name = await classic('upper', 'tr a-z A-Z')

    const answer = await provider.call(name, {
      method: 'POST',
      body: 'hello',
      headers: { 'content-type': 'text/x-test' },
    })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/x-test')
    expect(await answer.text()).toBe('HELLO')
    const logs = await provider.logs(name)
    expect(logs[0]).toMatch(/Forking fprocess: tr a-z A-Z$/)
    await eventually('the second line', async () => (await provider.logs(name)).length === 2)
    expect((await provider.logs(name))[1]).toMatch(/Wrote 5 Bytes - Duration: \d+\.\d+ seconds$/)
  })

  it('learns about the call from its variables, and nothing about the gateway', async () => {
    process.env['PILOTLIGHT_TEST_LEAK'] = 'leaked'
    const name = await classic('variables', 'env', { color: 'blue' })
    const request = requestBytes('GET', `/function/${name}/a%20b/%2e?x=%20y`, [
      'X-Call-ID: 7',
      'Method: POST',
      'path: /evil',
    ])

    const answer = await rawRequest(provider.url, request)
    const lines = answer.body.toString().split('\n')

    expect(lines).toEqual(
      expect.arrayContaining([
        'Http_Method=GET',
        'Http_Path=/a b/.',
        'Http_Query=x=%20y',
        'Http_X_Call_Id=7',
        'Http_ContentLength=0',
        'color=blue',
        'OPENFAAS_NAME=variables',
      ]),
    )
    expect(lines.filter((line) => line.startsWith('Http_Method'))).toHaveLength(1)
    expect(answer.body.toString()).not.toContain('leaked')
    delete process.env['PILOTLIGHT_TEST_LEAK']
  })

  it('may have options of its own for Node, which its sidecar does not get', async () => {
    const name = await classic('own-options', 'echo $NODE_OPTIONS', { NODE_OPTIONS: '--require /no/such/file' })

    expect(await (await provider.call(name)).text()).toBe('--require /no/such/file\n')
  })

  it('is given a raw path that would end early as a variable', async () => {
    const name = await classic('nul-path', 'echo $Http_Path')

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}/a%00b`))

    expect(answer.body.toString()).toBe('/a%00b\n')
  })

  it('answers 500 when it fails, without what it wrote before', async () => {
    const name = await classic('failing', 'echo half; echo oops >&2; exit 3')

    const answer = await provider.call(name)

    expect(answer.status).toBe(500)
    expect(await answer.text()).toBe('exit status 3\n')
    await eventually('the error in the log', async () =>
      (await provider.logs(name)).some((line) => line.endsWith('stderr: oops')),
    )
  })

  it('answers 500 with a program that does not exist', async () => {
    const command = ['/no/such/program']
    await using own = await ProviderHarness.start({ options: { catalogue: [{ image: 'broken', command }] } })
    await own.deploy({ service: 'broken', image: 'broken' })
    await own.available('broken', 1)

    const answer = await own.call('broken')

    expect(answer.status).toBe(500)
    expect(await answer.text()).toContain('cannot start: spawn')
  })

  it('is not available with arguments beyond what the system takes, and says why', async () => {
    const command = ['echo', 'x'.repeat(200_000)]
    await using own = await ProviderHarness.start({ options: { catalogue: [{ image: 'broken', command }] } })
    await own.deploy({ service: 'broken', image: 'broken' })

    const { reason } = await eventually('a reason', async () => {
      const status = await own.status('broken')
      return status['reason'] !== undefined && status
    })

    expect(reason).toMatch(/^sidecar ended: cannot start: spawn E2BIG; failure \d/)
  })

  it('is not asked with a header beyond what its sidecar takes', async () => {
    const name = await classic('long-header', 'echo')
    const fields = [`X-Long: ${'x'.repeat(200_000)}`]

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}`, fields))

    expect(answer.status).toBe(431)
  })

  it('answers 500 when its program does not exist', async () => {
    const answer = await provider.call(await classic('missing', '/no/such/program'))

    expect(answer.status).toBe(500)
  })

  it('shows its first bytes while it still runs', async () => {
    const name = await classic('slow-writer', 'echo first; cat >/dev/null; echo last')
    await using connection = await RawConnection.open(provider.url)

    // 1. the body is not complete yet
    await connection.send(`POST /function/${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`)
    await connection.shows('first')
    // 2. now it is
    await connection.send('0\r\n\r\n')
    const answer = await connection.response('POST')

    expect(answer.complete).toBe(true)
    expect(answer.body.toString()).toBe('first\nlast\n')
  })

  it('never looks complete when it dies inside the body', async () => {
    const name = await classic('dying', 'echo begun; sleep 0.05; kill -9 $$')

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}`))

    expect(answer.body.toString()).toBe('begun\n')
    expect(answer.complete).toBe(false)
  })

  it('is killed with its whole group after exec_timeout', async () => {
    const name = await classic('hanging', 'sleep 61 & echo $! >pid; wait', { exec_timeout: '100ms' })

    const answer = await provider.call(name)

    expect(answer.status).toBe(504)
    expect(await answer.text()).toContain('exec_timeout')
    const pid = Number(readFileSync(`${provider.directory}/functions/openfaas-fn/${name}/home/pid`, 'utf8'))
    await eventually('the child of the function to end', () => !isAlive(pid))
  })

  it('cuts an answer that exec_timeout overtakes', async () => {
    const name = await classic('endless', 'while :; do echo tick; sleep 0.02; done', { exec_timeout: '150ms' })

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}`))

    expect(answer.status).toBe(200)
    expect(answer.complete).toBe(false)
  })

  it('is ended when its client leaves', async () => {
    const name = await classic('abandoned', 'echo $$ >pid; echo begun; sleep 62')
    const connection = await RawConnection.open(provider.url)
    await connection.send(requestBytes('GET', `/function/${name}`))
    await connection.shows('begun')

    await connection[Symbol.asyncDispose]()

    const pid = Number(readFileSync(`${provider.directory}/functions/openfaas-fn/${name}/home/pid`, 'utf8'))
    await eventually('the function to end', () => !isAlive(pid))
  })

  it('is ended when its client leaves before the first byte', async () => {
    const name = await classic('silent', 'echo $$ >pid.new; mv pid.new pid; sleep 63')
    const connection = await RawConnection.open(provider.url)
    await connection.send(requestBytes('GET', `/function/${name}`))
    const path = `${provider.directory}/functions/openfaas-fn/${name}/home/pid`
    const pid = await eventually('the pid', () => readPid(path))

    await connection[Symbol.asyncDispose]()

    await eventually('the function to end', () => !isAlive(pid))
  })

  it('does not keep the answer open by children it leaves behind', async () => {
    const answer = await provider.call(await classic('leaving-children', 'sleep 64 & echo done'))

    expect(await answer.text()).toBe('done\n')
  })

  it('may end without reading its input', async () => {
    const name = await classic('deaf', 'echo ignored')

    const answer = await provider.call(name, { method: 'POST', body: 'x'.repeat(5 << 20) })

    expect(await answer.text()).toBe('ignored\n')
  })

  it('is made to wait by a client that does not read, and then delivers its 100 MB', { timeout: 60_000 }, async () => {
    const name = await classic('flood', 'echo $$ >pid; exec head -c 100000000 /dev/zero')
    const [answer] = (await once(get(`${provider.url}/function/${name}`, { agent: false }), 'response')) as [
      IncomingMessage,
    ]
    const pid = readPid(`${provider.directory}/functions/openfaas-fn/${name}/home/pid`) ?? 0

    // 1. nobody reads: it writes until the pipes and sockets on the way are full
    const writtenBytes = await eventually('the function to wait', async () => {
      const before = bytesWrittenBy(pid)
      await pause(100)
      return bytesWrittenBy(pid) === before ? before : undefined
    })
    // 2. it goes on when the client does
    let receivedBytes = 0
    for await (const piece of answer) receivedBytes += (piece as Buffer).byteLength

    expect(writtenBytes).toBeLessThan(25_000_000)
    expect(receivedBytes).toBe(100_000_000)
    expect(answer.complete).toBe(true)
  })

  it('writes any amount of errors without harm', async () => {
    const name = await classic('noisy', 'head -c 3000000 /dev/zero | tr "\\0" e >&2; echo fine')

    const answer = await provider.call(name)

    expect(await answer.text()).toBe('fine\n')
    expect((await provider.logs(name)).join('').length).toBeLessThan(1_100_000)
  })

  it('leaves the provider responsive while it floods its errors for ever', async () => {
    const name = await classic('flooding', 'yes error >&2', { exec_timeout: '600ms' })
    const flooded = provider.call(name)
    const latencies: number[] = []
    for (let i = 0; i < 20; i += 1) {
      const startedMs = performance.now()
      await provider.status(name)
      latencies.push(performance.now() - startedMs)
    }

    expect((await flooded).status).toBe(504)
    expect(latencies.toSorted((one, other) => one - other)[10]).toBeLessThan(250)
  })

  it('refuses more calls than max_inflight', async () => {
    const name = await classic('narrow', 'cat', { max_inflight: '1' })
    await using first = await RawConnection.open(provider.url)
    await first.send(`POST /function/${name} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`)
    await eventually('the first call to run', async () => (await provider.logs(name)).length === 1)

    const refused = await provider.call(name)
    await first[Symbol.asyncDispose]()

    expect(refused.status).toBe(429)
    await eventually('a free slot', async () => (await provider.call(name)).status === 200)
  })

  it('is called on every replica when one is busy', async () => {
    const name = await classic('wide', 'cat', { max_inflight: '1' })
    await provider.scale(name, 2)
    await provider.available(name, 2)
    await using first = await RawConnection.open(provider.url)
    await first.send(`POST /function/${name} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`)
    await eventually('the first call to run', async () => (await provider.logs(name)).length === 1)

    const statuses = [await provider.call(name), await provider.call(name)].map(({ status }) => status)

    expect(statuses).toEqual([200, 200])
  })

  it('answers nothing at zero replicas', async () => {
    const name = await classic('asleep', 'cat')
    await provider.scale(name, 0)

    const answer = await provider.call(name)

    expect(answer.status).toBe(503)
    expect(answer.headers.get('x-openfaas-internal')).toBe('proxy')
    expect(await answer.text()).toBe('No endpoints available for: asleep.\n')
  })

  it('refuses a WebSocket', async () => {
    const name = await classic('no-socket', 'cat')
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13']

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}`, fields))

    expect(answer.status).toBe(400)
  })

  it('cannot be run in more processes than the limit', async () => {
    await using limited = await ProviderHarness.start({ options: { maxProcesses: 1 } })
    await limited.deploy({ service: 'one', envProcess: 'cat' })
    await limited.available('one', 1)
    await using first = await RawConnection.open(limited.url)
    await first.send('POST /function/one HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
    await eventually('the first call to run', async () => (await limited.logs('one')).length === 1)

    expect((await limited.call('one')).status).toBe(429)
  })
})

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function bytesWrittenBy(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1])
}

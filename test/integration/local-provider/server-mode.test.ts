import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { ProviderHarness } from './harness.ts'
import { isAlive, processesIn } from './processes.ts'

guardAgainstLeaks('file')

const source = fileURLToPath(new URL('functions/server.js', import.meta.url))
const catalogue = [
  { image: 'test/server', mode: 'http', command: [process.execPath, source] },
  { image: 'test/exits', mode: 'http', command: 'echo broken >&2; exit 3' },
  { image: 'test/deaf', mode: 'http', command: 'sleep 65' },
  { image: 'test/*', mode: 'http' },
]

let provider: ProviderHarness
beforeAll(async () => {
  provider = await ProviderHarness.start({ options: { catalogue, samples: true } })
})
afterAll(() => provider[Symbol.asyncDispose]())

/** Deploys the test server under a name of its own; resolves when it is ready. */
async function server(service: string, envVars: Record<string, string> = {}): Promise<string> {
  await provider.deploy({ service, image: 'test/server', envVars })
  await provider.available(service, 1)
  return service
}

async function textOf(path: string): Promise<string> {
  return (await provider.call(path)).text()
}

describe('function in http mode', () => {
  it('gets path, query and headers as they were sent', async () => {
    const name = await server('plain')

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}/a%2Fb?x=%20`))
    const bare = await rawRequest(provider.url, requestBytes('GET', `/function/${name}.openfaas-fn?x=1`))

    expect(answer.body.toString()).toBe('GET /a%2Fb?x=%20')
    expect(bare.body.toString()).toBe('GET /?x=1')
  })

  it('shares calls among its replicas, each on a port of its own', async () => {
    const name = await server('shared')
    await provider.scale(name, 3)
    await provider.available(name, 3)

    const pids = new Set<string>()
    for (let i = 0; i < 6; i += 1) pids.add(await textOf(`${name}/pid`))

    expect(pids.size).toBe(3)
  })

  it('is available only when its path answers 2xx', async () => {
    const startedMs = performance.now()
    await provider.deploy({
      service: 'warming',
      image: 'test/server',
      envVars: { ready_after_ms: '150' },
      annotations: { 'com.openfaas.ready.http.path': '/ready' },
    })
    await provider.available('warming', 1)

    expect(performance.now() - startedMs).toBeGreaterThan(140)
  })

  it('is not available while it does not listen', async () => {
    await provider.deploy({ service: 'deaf', image: 'test/deaf' })

    const call = await provider.call('deaf')
    const status = await provider.status('deaf')

    expect(call.status).toBe(503)
    expect(status).toMatchObject({ replicas: 1, availableReplicas: 0 })
  })

  it('says in its status and log why it does not start', async () => {
    await provider.deploy({ service: 'exits', image: 'test/exits' })

    const reason = await eventually('a reason', async () => {
      const status = await provider.status('exits')
      return /failure [2-9]/.test(String(status['reason'])) ? status : undefined
    })

    expect(reason.availableReplicas).toBe(0)
    expect(reason['reason']).toMatch(
      /process ended before it listened on port \d+: exit status 3; failure \d, next start in \d+ ms/,
    )
    expect((await provider.logs('exits')).join('\n')).toContain('stderr: broken')
  })

  it('is killed when it never listens', async () => {
    await using impatient = await ProviderHarness.start({ options: { catalogue, startTimeout: '100ms' } })
    await impatient.deploy({ service: 'deaf', image: 'test/deaf' })

    const status = await eventually('a reason', async () => {
      const one = await impatient.status('deaf')
      return one['reason'] === undefined ? undefined : one
    })

    expect(status['reason']).toMatch(/did not become ready on port \d+ within 100 ms/)
  })

  it('is started again when it crashes', async () => {
    const name = await server('crashing')

    const crashed = await provider.call(`${name}/crash`, { method: 'POST' })
    const without = await eventually(
      'the crash to be noticed',
      async () => (await provider.status(name)).availableReplicas === 0,
    )
    await provider.available(name, 1)

    expect(crashed.status).toBe(502)
    expect(await crashed.text()).toBe('')
    expect(without).toBe(true)
    expect(await textOf(name)).toBe('GET /')
    expect(await provider.status(name)).not.toHaveProperty('reason')
  })

  it('is ended and started again with its sidecar when that is killed', async () => {
    const name = await server('bereft')
    const before = await textOf(`${name}/pid`)

    process.kill(sidecarOf(before), 'SIGKILL')

    await eventually('the function to end', () => !isAlive(before))
    await eventually('another one', async () => {
      const answer = await provider.call(`${name}/pid`)
      return answer.status === 200 && (await answer.text()) !== before
    })
    expect((await provider.logs(name)).join('\n')).toContain('sidecar ended: signal: SIGKILL; failure 1, next start in')
  })

  it('has no more replicas than the limit of all functions', async () => {
    await using limited = await ProviderHarness.start({ options: { catalogue, maxProcesses: 1 } })
    await limited.deploy({ service: 'many', image: 'test/server' })
    await limited.available('many', 1)

    await limited.scale('many', 2)
    const status = await eventually('a reason', async () => {
      const one = await limited.status('many')
      return one['reason'] !== undefined && one
    })

    expect(status.availableReplicas).toBe(1)
    expect(status['reason']).toMatch(/^as many replicas run as may at a time \(option maxProcesses\); failure 1/)
  })

  it('never looks complete when it dies inside the body', async () => {
    const name = await server('dying')

    const answer = await rawRequest(provider.url, requestBytes('GET', `/function/${name}/die-inside`))

    expect(answer.status).toBe(200)
    expect(answer.complete).toBe(false)
  })

  it('is given up after exec_timeout', async () => {
    const name = await server('hanging', { exec_timeout: '100ms' })

    expect((await provider.call(`${name}/hang`)).status).toBe(504)
  })

  it('refuses more calls than max_inflight', async () => {
    const name = await server('narrow', { max_inflight: '1' })
    await using first = await RawConnection.open(provider.url)
    await first.send(requestBytes('GET', `/function/${name}/slow?ms=300`))

    await eventually('a refusal', async () => (await provider.call(name)).status === 429)

    expect((await first.response()).body.toString()).toBe('finished')
  })

  it('finishes its calls before it is stopped', async () => {
    const name = await server('finishing')
    await using call = await RawConnection.open(provider.url)
    await call.send(requestBytes('GET', `/function/${name}/slow?ms=200`))
    await eventually('the call to be under way', async () => (await provider.logs(name)).length >= 1)
    await provider.call(name)

    await provider.scale(name, 0)

    expect((await call.response()).body.toString()).toBe('finished')
    expect((await provider.status(name)).availableReplicas).toBe(0)
  })

  it('is killed when it ignores SIGTERM', async () => {
    const name = await server('stubborn', { ignore_sigterm: 'true' })
    const pid = await textOf(`${name}/pid`)

    await provider.scale(name, 0)

    expect(isAlive(pid)).toBe(true)
    await eventually('the process to end', () => !isAlive(pid))
  })

  it('goes on with its old revision until the new one is ready', async () => {
    const name = await server('rolling')
    const before = await textOf(`${name}/pid`)
    const body = { service: name, image: 'test/server', envVars: { listen_after_ms: '400' } }
    await provider.system('PUT', 'functions', body)

    const pids: string[] = []
    await eventually('the new revision', async () => {
      const answer = await provider.call(`${name}/pid`)
      if (answer.status !== 200) throw new Error(`a call failed with ${answer.status}`)
      pids.push(await answer.text())
      return pids.at(-1) !== before
    })

    expect(pids.filter((pid) => pid === before).length).toBeGreaterThan(1)
    await eventually('the old process to end', () => !isAlive(before))
  })

  it('takes another port when one is taken', async () => {
    await using holder = await listener()
    await using narrow = await ProviderHarness.start({
      options: { catalogue, replicaPorts: { from: holder.port, to: holder.port + 3 } },
    })

    await narrow.deploy({ service: 'elsewhere', image: 'test/server' })
    await narrow.available('elsewhere', 1)

    expect((await narrow.call('elsewhere')).status).toBe(200)
  })

  it('says so when the port it insists on is taken', async () => {
    await using holder = await listener()
    const envVars = { upstream_url: `http://127.0.0.1:${holder.port}` }
    await provider.deploy({ service: 'insisting', image: 'test/server', envVars })

    const status = await eventually('a reason', async () => {
      const one = await provider.status('insisting')
      return one['reason'] === undefined ? undefined : one
    })

    await provider.system('DELETE', 'functions', { functionName: 'insisting' })
    expect(status['reason']).toContain(`port ${holder.port} is taken`)
    expect(status.availableReplicas).toBe(0)
  })

  it('gives its port to the next revision when it insists on one', async () => {
    const port = await freePort()
    const envVars = { PORT: String(port) }
    const name = await server('moving-in', envVars)
    const before = await textOf(`${name}/pid`)

    await provider.system('PUT', 'functions', { service: name, image: 'test/server', envVars })

    await eventually('the new process', async () => {
      const answer = await provider.call(`${name}/pid`)
      return answer.status === 200 && (await answer.text()) !== before
    })
    expect(isAlive(before)).toBe(false)
  })

  it('can be started with fprocess and mode, as with a watchdog', async () => {
    await provider.deploy({
      service: 'of-watchdog',
      image: 'test/anything',
      envProcess: `"${process.execPath}" "${source}"`,
      envVars: { mode: 'http' },
    })

    await provider.available('of-watchdog', 1)

    expect(await textOf('of-watchdog/x')).toBe('GET /x')
  })

  it('keeps the last wish when it is scaled up and down at once, and leaves no process over', async () => {
    await using own = await ProviderHarness.start({ options: { catalogue } })
    await own.deploy({ service: 'swinging', image: 'test/server' })

    const statuses = await Promise.all([3, 0, 2, 0, 4, 0, 1, 0, 2].map((replicas) => own.scale('swinging', replicas)))
    const wished = (await own.status('swinging')).replicas ?? 0
    await own.available('swinging', wished)
    await eventually('as many processes as wished', () => {
      const { sidecars, functions } = processesIn(own.directory)
      return sidecars.length === wished && functions.length === wished
    })
    await own.scale('swinging', 0)

    expect(new Set(statuses)).toEqual(new Set([202]))
    await eventually('all processes to end', () => readdirSync(`${own.directory}/replicas`).length === 0)
    expect(processesIn(own.directory)).toEqual({ sidecars: [], functions: [] })
  })

  it('refuses the wish of a gateway that does not lead any more', async () => {
    const name = await server('fenced')

    const statuses = [
      await provider.scale(name, 1, { 'x-pilotlight-fence': '10' }),
      await provider.scale(name, 2, { 'x-pilotlight-fence': '9' }),
      await provider.scale(name, 1, { 'x-pilotlight-fence': '10' }),
      await provider.scale(name, 1, { 'x-pilotlight-fence': 'ten' }),
    ]

    expect(statuses).toEqual([202, 409, 202, 400])
    expect((await provider.status(name)).replicas).toBe(1)
  })

  it.each([[-1], [1.5], ['two'], [100_000], [null]])('refuses %s replicas', async (replicas) => {
    const answer = await provider.system('POST', 'scale-function/hello', { serviceName: 'hello', replicas })

    expect(answer.status).toBe(400)
  })

  it('is asked about what it uses', async () => {
    const name = await server('measured')

    const { usage } = await provider.status(name, '?usage=1')

    expect(usage).toMatchObject({ cpu: expect.any(Number) })
    // More than a sidecar or a server of Node takes alone.
    expect((usage as { totalMemoryBytes: number }).totalMemoryBytes).toBeGreaterThan(80_000_000)
  })
})

describe('sample functions', () => {
  it('greet, stream events and echo over a WebSocket', async () => {
    await provider.scale('hello', 1)
    await provider.available('hello', 1)

    const stream = await provider.call('hello/stream')
    const events = await stream.text()
    const socket = new WebSocket(`${provider.url.replace('http', 'ws')}/function/hello/ws`)
    const echoed = await new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('open', () => socket.send('ping '.repeat(100)))
      socket.once('message', (data: Buffer) => resolve(data.toString()))
    })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.close()
    await closed

    expect(await textOf('hello?name=you')).toBe('Hello, you!\n')
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    expect(events.match(/^data: /gm)).toHaveLength(5)
    expect(echoed).toBe('ping '.repeat(100))
  })

  it('run in classic mode', async () => {
    await provider.scale('upper', 1)
    await provider.available('upper', 1)

    const answer = await provider.call('upper', { method: 'POST', body: 'loud' })

    expect(await answer.text()).toBe('LOUD')
  })

  it('start slowly where that is the point', async () => {
    const startedMs = performance.now()
    const image = 'pilotlight/slow-start:latest'
    await provider.deploy({ service: 'slow', image, envVars: { start_delay_ms: '250' } })
    await provider.available('slow', 1)

    expect(performance.now() - startedMs).toBeGreaterThan(240)
    expect(await textOf('slow')).toContain('250 ms')
  })
})

/** The parent of a function's process. */
function sidecarOf(pid: string): number {
  return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1])
}

/** A port in the range of replicas that nobody listens on. */
async function freePort(): Promise<number> {
  await using one = await listener()
  return one.port
}

/** Somebody who listens on a port in the range of replicas. */
async function listener(): Promise<AsyncDisposable & { readonly port: number }> {
  for (let port = 19_000; ; port += 10) {
    const taken = createServer()
    const isOurs = await new Promise<boolean>((resolve) => {
      taken.once('error', () => resolve(false))
      taken.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (isOurs) return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => taken.close(() => resolve())) }
  }
}

import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { isAlive, workerPids } from '../support/worker-processes.ts'

const env = { PILOTLIGHT_WORKERS: '3' }

describe('a gateway of three workers', () => {
  guardAgainstLeaks()

  it('wakes a function once for the callers of all of them', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 200 })
    await using gateway = await startGatewayBefore(provider, { env })

    const outcomes = await callTogether(300, `${gateway.url}/function/cold`)

    expect(statuses(outcomes)).toEqual({ 200: 300 })
    expect(provider.count('scale')).toBe(1)
    expect(provider.count('status')).toBeLessThan(20 + 200 / 4.5)
  })

  it('lists the functions of the provider once for all of them', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    const before = provider.count('list')

    await eventually('five listings', () => provider.count('list') >= before + 5)
    const seconds = provider.calls.filter(({ kind }) => kind === 'list').slice(-5)

    // One every 200 ms; three that list each for itself would come in a third of the time.
    const [first, last] = [seconds[0], seconds.at(-1)]
    expect((last?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(4 * 200 * 0.7)
    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
  })

  it('lets all of them know what one was told', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    const read = () => callTogether(12, `${gateway.url}/function/warm`)
    expect(statuses(await read())).toEqual({ 200: 12 })

    const scaled = await call(`${gateway.url}/system/scale-function/warm`, {
      method: 'POST',
      body: JSON.stringify({ serviceName: 'warm', replicas: 0 }),
    })

    expect(scaled.status).toBe(202)
    const before = provider.count('scale')
    expect(statuses(await read())).toEqual({ 200: 12 })
    expect(provider.count('scale')).toBe(before + 1)
  })

  it('says in one message why none of them can start', async () => {
    await using provider = await ScriptedProvider.start()
    await using taken = await startGatewayBefore(provider)
    const port = new URL(taken.url).port
    await using gateway = new GatewayProcess({
      env: { ...env, PILOTLIGHT_PORT: port, functions_provider_url: provider.url },
    })

    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(gateway.output.match(/pilotlight cannot start:.*EADDRINUSE/g)).toHaveLength(1)
  })

  it('exits with 2 for a wrong option of a plugin', async () => {
    await using gateway = new GatewayProcess({
      env: { ...env, functions_provider_url: 'http://127.0.0.1:1/' },
      config: 'pluginOptions: { notifier: { accessLog: loud } }',
    })

    expect(await gateway.exited).toEqual({ code: 2, signal: null })
    expect(gateway.output).toContain('accessLog')
  })

  it('finishes what is under way in each of them at SIGTERM, and leaves no process behind', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    await using gateway = await startGatewayBefore(provider, { env })
    const held: ServerResponse[] = []
    provider.function('slow').handler = (_request, response) => void held.push(response)
    const calls = Array.from({ length: 30 }, () => call(`${gateway.url}/function/slow`))
    await eventually('all calls', () => held.length === 30)
    const pids = workerPids(gateway)

    gateway.signal('SIGTERM')
    for (const pid of pids) process.kill(pid, 'SIGTERM') // as systemd does
    await eventually('the gateway to stop listening', async () => (await call(`${gateway.url}/healthz`)).status === 0)
    for (const response of held) response.end('done')

    expect(statuses(await Promise.all(calls))).toEqual({ 200: 30 })
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(pids).toHaveLength(3)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('is cut when the grace period is over', async () => {
    await using provider = await ScriptedProvider.start({ name: 'hung' })
    await using gateway = await startGatewayBefore(provider, { env: { ...env, PILOTLIGHT_GRACE_PERIOD: '400ms' } })
    provider.function('hung').handler = () => {}
    const hung = call(`${gateway.url}/function/hung`)
    await eventually('the call', () => provider.count('invoke') === 1)

    gateway.signal('SIGTERM')

    expect((await hung).status).toBe(0)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('ends at once when it is told twice', async () => {
    await using provider = await ScriptedProvider.start({ name: 'hung' })
    await using gateway = await startGatewayBefore(provider, {
      env: { ...env, PILOTLIGHT_QUIET_PERIOD: '30s', PILOTLIGHT_GRACE_PERIOD: '30s' },
    })
    provider.function('hung').handler = () => {}
    const hung = call(`${gateway.url}/function/hung`)
    await eventually('the call', () => provider.count('invoke') === 1)
    const pids = workerPids(gateway)

    gateway.signal('SIGTERM')
    await eventually('the first signal', () => gateway.output.includes('stopping'))
    gateway.signal('SIGTERM')

    expect((await gateway.exited).code).toBe(1)
    expect((await hung).status).toBe(0)
    await eventually('the workers to be gone', () => !pids.some(isAlive))
  })
})

describe('workers whose supervisor is killed', () => {
  guardAgainstLeaks()

  it('finish what is under way, take no new connection, and go', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    await using gateway = await startGatewayBefore(provider, { env })
    const held: ServerResponse[] = []
    provider.function('slow').handler = (_request, response) => void held.push(response)
    const calls = Array.from({ length: 12 }, () => call(`${gateway.url}/function/slow`))
    await eventually('all calls', () => held.length === 12)
    const pids = workerPids(gateway)

    gateway.signal('SIGKILL')
    await eventually('the workers to stop listening', async () => (await call(`${gateway.url}/healthz`)).status === 0)
    for (const response of held) response.end('done')

    expect(statuses(await Promise.all(calls))).toEqual({ 200: 12 })
    await eventually('the workers to be gone', () => !pids.some(isAlive))
  })
})

import { Agent, get } from 'node:http'
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { quickOptions, startGatewayBefore } from '../support/gateway-before.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { SteadyCallers } from '../support/steady-callers.ts'
import { temporaryFile } from '../support/temporary-file.ts'
import { workerPids } from '../support/worker-processes.ts'

const env = { PILOTLIGHT_WORKERS: '2' }

/** Resolves when none of the workers before is left, and there are as many new ones. */
async function replaced(gateway: GatewayProcess, before: readonly number[]): Promise<void> {
  await eventually('new workers', () => {
    const now = workerPids(gateway)
    return now.length === before.length && before.every((pid) => !now.includes(pid))
  })
}

function counted(page: string): number {
  return Number(/^gateway_function_invocation_total\{function_name="warm",code="200"\} (\d+)$/m.exec(page)?.[1] ?? 0)
}

describe('a worker that is killed', () => {
  guardAgainstLeaks()

  it('loses its own calls only, and is replaced', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    const [victim = 0, survivor = 0] = workerPids(gateway)
    const callers = new SteadyCallers([`${gateway.url}/function/warm`], 12)
    await eventually('some calls', () => callers.count > 200)

    process.kill(victim, 'SIGKILL')
    await eventually('another worker', () => {
      const now = workerPids(gateway)
      return now.length === 2 && !now.includes(victim)
    })
    const soFar = callers.count
    await eventually('more calls', () => callers.count > soFar + 500)
    const { 200: answered = 0, ...others } = await callers.stop()

    expect(workerPids(gateway)).toContain(survivor)
    expect(answered).toBeGreaterThan(700)
    // Each of twelve callers has one call under way at most: those of the survivor's connections are not touched.
    expect(Object.keys(others).filter((status) => status !== '0')).toEqual([])
    expect(others[0] ?? 0).toBeLessThanOrEqual(12)
    expect(gateway.output).toContain('a worker has died and is replaced')
  })

  it('takes nothing away from the counts on the metrics page', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    for (let calls = 0; calls < 40; calls += 1) await call(`${gateway.url}/function/warm`)
    await eventually('the counts', async () => counted(await gateway.metrics()) === 40)
    const before = workerPids(gateway)

    for (const pid of before) process.kill(pid, 'SIGKILL')
    await replaced(gateway, before)

    await eventually('a call', async () => (await call(`${gateway.url}/function/warm`)).status === 200)
    await eventually('its count', async () => counted(await gateway.metrics()) >= 41)
    expect(await gateway.metrics()).toContain('pilotlight_worker_ends_total{reason="lost"} 2')
  })

  it('makes the gateway unready only when it was the last one', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    const ready = async (): Promise<number> => (await call(`${gateway.metricsUrl}/readyz`)).status
    const [one = 0, other = 0] = workerPids(gateway)

    process.kill(one, 'SIGSTOP')
    await eventually('the silence to be noticed', async () => {
      process.kill(other, 0)
      return (await ready()) === 200
    })
    process.kill(one, 'SIGCONT')
    const before = workerPids(gateway)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    await eventually('readiness to go off', async () => (await ready()) === 503)

    await eventually('readiness to come back', async () => (await ready()) === 200)
    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
  })

  it('holds a wake that another one goes on with', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env })
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true }))
    const statuses = agents.map(
      (agent) =>
        new Promise<number>((resolve) => {
          get(`${gateway.url}/function/cold`, { agent }, (response) => {
            response.resume()
            response.once('close', () => resolve(response.statusCode ?? 0))
          }).once('error', () => resolve(0))
        }),
    )
    await eventually('the scale call', () => provider.count('scale') === 1)
    await eventually('all to be held', async () => /pilotlight_held_requests 8$/m.test(await gateway.metrics()))
    const statusCalls = provider.count('status')

    const [victim = 0] = workerPids(gateway)
    process.kill(victim, 'SIGKILL')
    await eventually('status calls to go on', () => provider.count('status') > statusCalls + 3)
    provider.function('cold').becomeReady()

    const answered = await Promise.all(statuses)
    expect(answered.filter((status) => status !== 0 && status !== 200)).toEqual([])
    expect(answered).toContain(200)
    expect(provider.count('scale')).toBe(1)
    for (const agent of agents) agent.destroy()
  })
})

describe('workers at SIGHUP', () => {
  guardAgainstLeaks()

  it('are replaced one after the other, and no call notices', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env: { ...env, PILOTLIGHT_QUIET_PERIOD: '300ms' } })
    const before = workerPids(gateway)
    const callers = new SteadyCallers([`${gateway.url}/function/warm`], 8)
    await eventually('some calls', () => callers.count > 100)

    gateway.signal('SIGHUP')
    await replaced(gateway, before)
    const soFar = callers.count
    await eventually('more calls', () => callers.count > soFar + 100)
    const answered = await callers.stop()

    expect(Object.keys(answered)).toEqual(['200'])
    await eventually('the counts', async () => counted(await gateway.metrics()) === answered[200])
    expect(await gateway.metrics()).toContain('pilotlight_worker_ends_total{reason="rolled"} 2')
  })

  it('get the configuration as it is then; one that is wrong, or needs a restart, changes nothing', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    using config = temporaryFile('pilotlight.yaml', quickOptions)
    await using gateway = await startGatewayProcess({
      args: ['--config', config.path],
      env: { ...env, functions_provider_url: provider.url },
    })
    const before = workerPids(gateway)
    const rollWith = async (text: string, line: string): Promise<void> => {
      writeFileSync(config.path, text)
      const told = gateway.output.length
      gateway.signal('SIGHUP')
      await eventually(line, () => gateway.output.slice(told).includes(line))
    }

    await rollWith('nonsense: 1', 'nonsense')
    await rollWith('port: 1234', 'only a restart can change port')
    expect(workerPids(gateway)).toEqual(before)

    await rollWith(`replayBodyBytes: 0\nmaxHeaderLines: 20`, 'all workers are replaced')
    const headers = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x-${i}`, '1']))
    expect((await call(`${gateway.url}/function/warm`, { headers })).status).toBe(431)
  })
})

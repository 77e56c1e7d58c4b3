import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Caller, call, startCall, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { quickOptions, startGatewayBefore } from '../support/gateway-before.ts'
import { GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { temporaryFile } from '../support/temporary-file.ts'
import { isAlive, workerPids } from '../support/worker-processes.ts'

const env = { PILOTLIGHT_WORKERS: '2', PILOTLIGHT_GRACE_PERIOD: '20s' }

/** Calls of a function that answers when the test says so. */
async function callsUnderWay(provider: ScriptedProvider, gateway: GatewayProcess, count: number) {
  const held: ServerResponse[] = []
  provider.function('slow').handler = (_request, response) => void held.push(response)
  const callers: Caller[] = Array.from({ length: count }, () => startCall(`${gateway.url}/function/slow`))
  await eventually('all calls', () => held.length === count)
  return {
    answerAll: () => held.forEach((response) => response.end('done')),
    outcomes: () => Promise.all(callers.map(({ outcome }) => outcome)),
  }
}

async function refusesConnections(gateway: GatewayProcess): Promise<void> {
  await eventually('no more connections', async () => (await call(`${gateway.url}/healthz`)).status === 0)
}

describe('workers that are being replaced', () => {
  guardAgainstLeaks()

  it('finish their calls although the gateway is stopped meanwhile', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    await using gateway = await startGatewayBefore(provider, { env })
    const under = await callsUnderWay(provider, gateway, 8)

    gateway.signal('SIGHUP')
    await eventually('the roll', () => gateway.output.includes('all workers are replaced'))
    gateway.signal('SIGTERM')
    await refusesConnections(gateway)
    under.answerAll()

    expect(statuses(await under.outcomes())).toEqual({ 200: 8 })
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('are the last ones when the gateway is stopped in the middle of it', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    await using gateway = await startGatewayBefore(provider, { env: { ...env, PILOTLIGHT_WORKERS: '4' } })
    const under = await callsUnderWay(provider, gateway, 8)

    gateway.signal('SIGHUP')
    await eventually('the first new one', () => (gateway.output.match(/worker serves/g) ?? []).length > 4)
    gateway.signal('SIGTERM')
    await refusesConnections(gateway)
    under.answerAll()

    expect(statuses(await under.outcomes())).toEqual({ 200: 8 })
    expect((await gateway.exited).code).toBe(0)
    expect(gateway.output).not.toContain('all workers are replaced')
  })

  it('are replaced once more when they are told to while they are', async () => {
    await using provider = await ScriptedProvider.start()
    using config = temporaryFile('pilotlight.yaml', quickOptions)
    await using gateway = await startGatewayProcess({
      args: ['--config', config.path],
      env: { ...env, functions_provider_url: provider.url },
    })

    gateway.signal('SIGHUP')
    await eventually('the roll to begin', () => gateway.output.includes('replacing the workers'))
    gateway.signal('SIGHUP')

    await eventually('two rolls', () => (gateway.output.match(/all workers are replaced/g) ?? []).length === 2)
  })
})

describe('a supervisor', () => {
  guardAgainstLeaks()

  it('that is killed while it stops leaves no call behind', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    await using gateway = await startGatewayBefore(provider, { env })
    const pids = workerPids(gateway)
    const under = await callsUnderWay(provider, gateway, 6)

    gateway.signal('SIGTERM')
    await refusesConnections(gateway)
    gateway.signal('SIGKILL')
    await gateway.exited
    under.answerAll()

    expect(statuses(await under.outcomes())).toEqual({ 200: 6 })
    await eventually('the workers to be gone', () => !pids.some(isAlive))
  })

  it('that cannot fork goes on with the workers it has, and tries again', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { env })
    const [victim = 0, survivor = 0] = workerPids(gateway)
    const limit = (files: string): void => {
      execFileSync('prlimit', ['--pid', String(gateway.pid), `--nofile=${files}`])
    }

    limit(`${readdirSync(`/proc/${gateway.pid}/fd`).length - 4}:4096`)
    process.kill(victim, 'SIGKILL')
    await eventually('a failed start', () => gateway.output.includes('a worker could not be started'))
    expect(workerPids(gateway)).toEqual([survivor])
    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
    limit('4096:4096')

    await eventually('another worker', () => workerPids(gateway).length === 2, 20_000)
  })

  it('starts with the workers that can, and is stopped while it tries the others again', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    using plugin = temporaryFile(
      'second-fails.mjs',
      `import cluster from 'node:cluster'
      export default {
        name: 'second-fails', needs: {}, options: { parse: () => ({}) },
        setup() { if (cluster.worker.id > 1) throw new Error('not in this one'); return {} },
      }`,
    )
    const plugins = ['provider-client', 'notifier', 'scale-from-zero', 'system-api', plugin.path]
    await using gateway = await startGatewayBefore(provider, { env, config: JSON.stringify({ plugins }) })

    await eventually('another try', () => (gateway.output.match(/a worker could not be started/g) ?? []).length > 1)
    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
    expect((await call(`${gateway.metricsUrl}/readyz`)).status).toBe(200)
    gateway.signal('SIGTERM')

    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('ignores SIGHUP while it starts', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = new GatewayProcess({ env: { ...env, functions_provider_url: provider.url } })

    await eventually('the first worker', () => workerPids(gateway).length > 0)
    gateway.signal('SIGHUP')
    await gateway.listening()

    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
  })

  it('takes new options of plugins over beside an embedded provider, and says what it cannot', async () => {
    using folder = temporaryFile('marker', '')
    const stateDirectory = join(folder.directory, 'state')
    const text = (lines: number, samples: boolean): string =>
      JSON.stringify({
        pluginOptions: { notifier: { linesPerSecond: lines }, 'local-provider': { stateDirectory, samples } },
      })
    using config = temporaryFile('pilotlight.yaml', text(10, true))
    await using gateway = await startGatewayProcess({ args: ['--config', config.path], env })
    const rollWith = async (content: string, line: string): Promise<void> => {
      writeFileSync(config.path, content)
      const told = gateway.output.length
      gateway.signal('SIGHUP')
      await eventually(line, () => gateway.output.slice(told).includes(line))
    }

    await rollWith(text(10, false), 'only a restart can change the plugin local-provider')
    await rollWith(text(0, true), 'linesPerSecond')
    await rollWith(text(5, true), 'all workers are replaced')
    expect((await call(`${gateway.url}/function/hello`)).status).toBe(200)
  })
})

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { ProviderHarness } from './harness.ts'
import { isAlive, processesIn } from './processes.ts'

guardAgainstLeaks()

const sidecar = [process.execPath, join(import.meta.dirname, 'functions/fake-sidecar.ts')]

function start(options: Readonly<Record<string, unknown>> = {}): Promise<ProviderHarness> {
  return ProviderHarness.start({ sidecar, options })
}

/** Deploys a function with a faulty sidecar. */
async function deploy(provider: ProviderHarness, fault: string, service = 'one'): Promise<void> {
  await provider.deploy({ service, envProcess: 'cat', envVars: { fault } })
}

describe('a replica whose sidecar', () => {
  it('is well is called, and leaves with its function', async () => {
    await using provider = await start()
    await deploy(provider, '')
    await provider.available('one', 1)
    const { sidecars, functions } = processesIn(provider.directory)

    const answered = await (await provider.call('one')).text()
    await provider.scale('one', 0)
    await eventually('all processes to end', () => ![...sidecars, ...functions].some(isAlive))

    expect([sidecars.length, functions.length]).toEqual([1, 1])
    expect(answered).toMatch(/^one-[0-9a-f]{8}$/)
    expect(provider.instances.phases(answered)).toEqual(['ready', 'leaving'])
    await eventually('the folder to go', () => readdirSync(join(provider.directory, 'replicas')).length === 0)
  })

  it('exits at once says so in status and log, and is started again with growing pauses', async () => {
    await using provider = await start()
    await deploy(provider, 'exits')

    const { reason } = await eventually('a second failure', async () => {
      const status = await provider.status('one')
      return /failure [2-9]/.test(String(status['reason'])) && status
    })

    expect(reason).toMatch(/^sidecar ended: exit status 7; failure \d, next start in \d+ ms$/)
    expect(await provider.logs('one')).toContain('told something wrong')
  })

  it.each(['another-key', 'of-another', 'another-name', 'another-port', 'another-address'])(
    'reports something foreign (%s) is not believed, nor anybody told',
    async (fault) => {
      await using provider = await start()
      await deploy(provider, fault)

      // The address is not in the signature: an instance may say where it is, but not who.
      const status = fault === 'another-port' || fault === 'another-address' ? 403 : 401
      await eventually('the refusal', async () => (await provider.logs('one')).includes(`ready: ${status}`))

      expect((await provider.status('one')).availableReplicas).toBe(0)
      expect(provider.instances.reports).toEqual([])
    },
  )

  it('is killed leaves nothing of its function behind, is withdrawn, and is started again', async () => {
    await using provider = await start()
    await deploy(provider, '')
    await provider.available('one', 1)
    const { sidecars, functions } = processesIn(provider.directory)
    const [{ record: before } = { record: undefined }] = provider.instances.reports

    process.kill(sidecars[0] ?? 0, 'SIGKILL')
    await eventually('the function to end', () => !functions.some(isAlive))
    await eventually('another report', () => provider.instances.phases().length === 3)
    await provider.available('one', 1)

    const [, withdrawn, after] = provider.instances.reports.map(({ record }) => record)
    expect(provider.instances.phases(before?.id)).toEqual(['ready', 'leaving', 'ready'])
    expect(withdrawn?.revision).toBeGreaterThan(before?.revision ?? Infinity)
    expect(after?.revision).toBeGreaterThan(withdrawn?.revision ?? Infinity)
    expect((await provider.call('one')).status).toBe(200)
  })

  it('has left although nobody here asked it to is ended, and started again', async () => {
    await using provider = await start()
    await deploy(provider, 'leaves')
    await provider.available('one', 1)
    const { sidecars, functions } = processesIn(provider.directory)

    process.kill(sidecars[0] ?? 0, 'SIGUSR2')
    await eventually('both to end', () => ![...sidecars, ...functions].some(isAlive))
    await eventually('another one', () => provider.instances.phases().length === 3)
    await provider.available('one', 1)

    expect(provider.instances.phases()).toEqual(['ready', 'leaving', 'ready'])
    expect((await provider.allLogs('one')).join('\n')).toContain('sidecar left by itself; failure 1, next start in')
    expect((await provider.call('one')).status).toBe(200)
  })

  it('ignores SIGTERM is killed with its function after twice its grace and three seconds', async () => {
    await using provider = await start({ stopGrace: '50ms' })
    await deploy(provider, 'stays')
    await provider.available('one', 1)
    const { sidecars, functions } = processesIn(provider.directory)

    await provider.scale('one', 0)

    expect(sidecars.map(isAlive)).toEqual([true])
    await eventually('all processes to end', () => ![...sidecars, ...functions].some(isAlive))
    await eventually('the withdrawal', () => provider.instances.phases().at(-1) === 'leaving')
  })

  it('falls silent is not available until it speaks again', async () => {
    await using provider = await start()
    provider.instances.ttlMs = 300
    await deploy(provider, '')
    await eventually('the report', () => provider.instances.reports.length === 1)

    const silent = await eventually('silence', async () => {
      const status = await provider.status('one')
      return status.availableReplicas === 0 && status
    })
    const refused = await provider.call('one')
    process.kill(processesIn(provider.directory).sidecars[0] ?? 0, 'SIGUSR2')
    await provider.available('one', 1)

    expect(silent['reason']).toBe('its sidecar does not report')
    expect(refused.status).toBe(503)
  })

  it('is full hands the call on, and the last one that is makes it a 429', async () => {
    await using provider = await start()
    await deploy(provider, 'refuses')
    await provider.available('one', 1)

    const answer = await provider.call('one', { method: 'POST', body: 'x' })

    expect(answer.status).toBe(429)
    expect(await answer.text()).toBe('function one answers as many calls as it may\n')
  })
})

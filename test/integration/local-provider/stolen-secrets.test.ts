import { expect, it } from 'vitest'
import { type InstanceRecord, reportsPath } from '#core'
import { signOwnReport } from '../../../core/instances/signed-report.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { instanceKey, ProviderHarness } from './harness.ts'

guardAgainstLeaks()

it('a function that reads the variables of its sidecar can speak for its own instance, and for no other', async () => {
  await using provider = await ProviderHarness.start()
  await provider.deploy({ service: 'thief', envProcess: 'cat /proc/$PPID/environ' })
  await provider.deploy({ service: 'victim', envProcess: 'cat' })
  await provider.available('thief', 1)
  await provider.available('victim', 1)

  const text = await (await provider.call('thief')).text()
  const stolen = new Map(text.split('\0').map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=/, '')]))
  const recordOf = (name: string): InstanceRecord => {
    const report = provider.instances.reports.findLast(({ record }) => record.name === name)
    if (report === undefined) throw new Error(`${name} has not reported`)
    return report.record
  }
  const say = async (record: InstanceRecord): Promise<number> => {
    const load = { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 }
    const body = signOwnReport({ record, load, sentAtMs: Date.now() }, stolen.get('PILOTLIGHT_INSTANCE_SECRET') ?? '')
    return (await fetch(`${stolen.get('PILOTLIGHT_GATEWAYS')}${reportsPath.slice(1)}`, { method: 'POST', body })).status
  }
  const [own, victim] = [recordOf('thief'), recordOf('victim')]
  const said = {
    ofItself: await say(own),
    ofTheOther: await say({ ...victim, phase: 'leaving', revision: victim.revision + 1 }),
    asTheOther: await say({ ...own, name: 'victim', revision: own.revision + 1 }),
  }

  expect(text).not.toContain(instanceKey)
  expect(said).toEqual({ ofItself: 200, ofTheOther: 401, asTheOther: 401 })
  expect((await provider.status('victim')).availableReplicas).toBe(1)
})

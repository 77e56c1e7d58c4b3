import { afterEach, describe, expect, it } from 'vitest'
import { startCall, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { type DoubledCall, InstanceDouble, instanceTestKey } from '../support/instance-double.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const env = { PILOTLIGHT_INSTANCE_KEY: instanceTestKey }

/** Calls that wait for a slot in all of these gateways. */
async function waiting(gateways: readonly GatewayProcess[]): Promise<number> {
  const pages = await Promise.all(gateways.map((one) => one.metrics()))
  return pages.reduce((sum, page) => sum + (metricValue(page, 'pilotlight_slot_waiting_requests') ?? 0), 0)
}

/** Resolves with the next call that an instance lets in. */
function nextCall(instance: InstanceDouble): Promise<DoubledCall> {
  return new Promise((resolve) => {
    instance.onCall = (call) => {
      instance.onCall = undefined
      resolve(call)
    }
  })
}

/** Counts the slots that each gateway is given from now on. */
function grantsOf(instances: readonly InstanceDouble[]): ReadonlyMap<string, number> {
  const granted = new Map<string, number>()
  for (const { slots } of instances) {
    slots.onGranted = (gateway) => void granted.set(gateway, (granted.get(gateway) ?? 0) + 1)
  }
  return granted
}

/** How many slots one of two gateways has had more than the other. */
function lead(granted: ReadonlyMap<string, number>): number {
  const [one = 0, two = 0] = granted.values()
  return Math.abs(one - two)
}

describe('two gateways before two instances with a limit of 1', () => {
  guardAgainstLeaks()
  const instances: InstanceDouble[] = []
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((one) => one[Symbol.asyncDispose]()))
  })

  async function startInstance(gateways: readonly string[], phase?: 'starting'): Promise<InstanceDouble> {
    const instance = await InstanceDouble.start({ limit: 1 })
    instances.push(instance)
    await instance.report(gateways, phase)
    return instance
  }

  it('let no call wait while an instance is idle, and take turns', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using one = await startGatewayBefore(provider, { env })
    await using two = await startGatewayBefore(provider, { env })
    const urls = [one.url, two.url]
    const [first, second] = [await startInstance(urls), await startInstance(urls)]
    const outcomes = urls.map((url) => startCall(`${url}/function/echo`).outcome)
    await eventually('both instances to work', () => instances.every(({ calls }) => calls.length === 1))
    for (const url of Array.from({ length: 20 }, () => urls).flat())
      outcomes.push(startCall(`${url}/function/echo`).outcome)
    await eventually('40 calls to wait', async () => (await waiting([one, two])) === 40)
    const granted = grantsOf(instances)

    // Only one instance becomes free at a time, in no order: the next call must begin there, with no other event to wait for.
    for (let step = 0; step < 40; step += 1) {
      const [freed, busy] = (step * 7) % 5 < 2 ? [first, second] : [second, first]
      // Turns are taken between those who ask.
      if (step < 30) await eventually('both gateways to ask', () => freed.slots.waiting.length === 2)
      const begins = nextCall(freed)
      const busyWith = busy.calls[0]
      freed.finishOldest()
      await begins
      expect(busy.calls[0]).toBe(busyWith)
      if (step < 30) expect(lead(granted)).toBeLessThanOrEqual(2)
    }
    for (const instance of instances) instance.finishOldest()

    expect(statuses(await Promise.all(outcomes))).toEqual({ 200: 42 })
    expect(instances.map(({ mostInFlight, slots }) => [mostInFlight, slots.expired])).toEqual([
      [1, 0],
      [1, 0],
    ])
    expect(Math.min(...granted.values())).toBeGreaterThanOrEqual(20)
    expect(provider.count('invoke')).toBe(0)
  })

  it('send a call to an instance that becomes ready while it waits', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider, { env })
    const busy = await startInstance([gateway.url])
    const late = await startInstance([gateway.url], 'starting')
    const calls = [startCall(`${gateway.url}/function/echo`)]
    await eventually('the first call to be worked on', () => busy.calls.length === 1)
    calls.push(startCall(`${gateway.url}/function/echo`), startCall(`${gateway.url}/function/echo`))
    await eventually('two calls to wait', async () => (await waiting([gateway])) === 2)

    const begins = nextCall(late)
    await late.report([gateway.url])
    await begins

    expect([busy.calls.length, late.calls.length]).toEqual([1, 1])
    const beginsAgain = nextCall(late)
    late.finishOldest()
    await beginsAgain
    busy.finishOldest()
    late.finishOldest()
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome))
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('forget callers that leave while they wait', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider, { env })
    const instance = await startInstance([gateway.url])
    const served = startCall(`${gateway.url}/function/echo`)
    await eventually('the first call to be worked on', () => instance.calls.length === 1)
    const leaving = Array.from({ length: 20 }, () => startCall(`${gateway.url}/function/echo`))
    await eventually('the others to wait', async () => (await waiting([gateway])) === 20)
    await eventually('the gateway to ask', () => instance.slots.waiting.length === 1)

    for (const one of leaving) one.leave()

    await eventually('nobody to wait', async () => (await waiting([gateway])) === 0)
    await eventually('the gateway to ask no more', () => instance.slots.waiting.length === 0)
    instance.finishOldest()
    expect((await served.outcome).status).toBe(200)
    expect([instance.served, instance.slots.reserved]).toEqual([1, 0])
  })
})

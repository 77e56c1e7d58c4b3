import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { call, startCall, statuses, type Outcome } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { FrontedFunction } from '../support/fronted-function.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { instanceTestKey } from '../support/instance-double.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { SidecarProcess } from '../support/sidecar-process.ts'

interface Instance {
  readonly sidecar: SidecarProcess
  readonly behind: FrontedFunction
}

describe('two gateways before sidecars', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let gateways: readonly GatewayProcess[]
  const instances: Instance[] = []
  let functions = 0
  beforeAll(async () => {
    provider = await ScriptedProvider.start()
    const env = { PILOTLIGHT_INSTANCE_KEY: instanceTestKey }
    gateways = await Promise.all([startGatewayBefore(provider, { env }), startGatewayBefore(provider, { env })])
  })
  afterEach(async () => {
    for (const { sidecar, behind } of instances.splice(0)) {
      await sidecar[Symbol.asyncDispose]()
      await behind[Symbol.asyncDispose]()
    }
  })
  afterAll(async () => {
    for (const one of gateways) await one[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  /** A function of its own, whose instances both gateways know. */
  async function startFunction(count: number, options: { readonly limit?: number; readonly workMs?: number }) {
    functions += 1
    const name = `fronted-${functions}`
    provider.add({ name })
    const started = await Promise.all(Array.from({ length: count }, () => startInstance(name, options)))
    await eventually('both gateways to know all', async () => {
      const known = await Promise.all(gateways.map(({ url }) => call(`${url}/system/instances?name=${name}`)))
      return known.every(({ body }) => (body.match(/"phase":"ready"/g) ?? []).length === count)
    })
    return { name, started, urls: gateways.map(({ url }) => `${url}/function/${name}`) }
  }

  async function startInstance(
    name: string,
    { limit = 0, workMs }: { limit?: number; workMs?: number },
  ): Promise<Instance> {
    const behind = await FrontedFunction.start(workMs)
    const urls = gateways.map(({ url }) => url)
    const sidecar = await SidecarProcess.start({ name, gateways: urls, upstreamUrl: behind.url, limit })
    const instance = { sidecar, behind }
    instances.push(instance)
    return instance
  }

  async function waiting(): Promise<number> {
    const pages = await Promise.all(gateways.map((one) => one.metrics()))
    return pages.reduce((sum, page) => sum + (metricValue(page, 'pilotlight_slot_waiting_requests') ?? 0), 0)
  }

  it('let no call wait while an instance with a limit of 1 is idle', async () => {
    const { started, urls, name } = await startFunction(2, { limit: 1 })
    const [first, second] = started.map(({ behind }) => behind)
    if (first === undefined || second === undefined) throw new Error('there are two')
    const outcomes = urls.map((url) => startCall(url).outcome)
    await eventually('both instances to work', () => [first, second].every(({ calls }) => calls.length === 1))
    for (let i = 0; i < 20; i += 1) outcomes.push(startCall(urls[i % 2] ?? '').outcome)
    await eventually('20 calls to wait', async () => (await waiting()) === 20)

    for (let step = 0; step < 20; step += 1) {
      const [freed, busy] = (step * 7) % 5 < 2 ? [first, second] : [second, first]
      const busyWith = busy.calls[0]
      const begins = new Promise<void>((resolve) => (freed.onCall = resolve))
      freed.calls[0]?.finish()
      await begins
      expect(busy.calls[0]).toBe(busyWith)
    }
    for (const { calls } of [first, second]) calls[0]?.finish()

    expect(statuses(await Promise.all(outcomes))).toEqual({ 200: 22 })
    expect([first.mostInFlight, second.mostInFlight]).toEqual([1, 1])
    expect(provider.count('invoke', name)).toBe(0)
  })

  it('show a function nothing of what they say to each other', async () => {
    const { started, urls } = await startFunction(1, { limit: 1 })
    const [behind] = started.map((one) => one.behind)
    const calling = startCall(urls[0] ?? '', { headers: { 'x-pilotlight-slot': 'forged' } })
    await eventually('the call to arrive', () => behind?.calls.length === 1)

    const names = Object.keys(behind?.calls[0]?.headers ?? {}).filter((name) => name.startsWith('x-pilotlight'))
    behind?.calls[0]?.finish()

    expect(names).toEqual([])
    expect((await calling.outcome).status).toBe(200)
  })

  it('lose no call, POST or GET, while every instance is replaced', async () => {
    const { started, urls, name } = await startFunction(2, { limit: 4, workMs: 3 })
    const outcomes: Outcome[] = []
    const over = new AbortController()
    const load = Array.from({ length: 12 }, async (_, i) => {
      const url = urls[i % 2] ?? ''
      while (!over.signal.aborted)
        outcomes.push(await call(url, i % 3 === 0 ? {} : { method: 'POST', body: `body ${i}` }))
    })

    for (const old of started) {
      const fresh = await startInstance(name, { limit: 4, workMs: 3 })
      await eventually('the new one to work', () => fresh.behind.served > 20)
      old.sidecar.signal('SIGTERM')
      expect(await old.sidecar.exited).toBe(0)
    }
    over.abort()
    await Promise.all(load)

    expect(statuses(outcomes)).toEqual({ 200: outcomes.length })
    expect(provider.count('invoke', name)).toBe(0)
    expect(instances.every(({ behind }) => behind.mostInFlight <= 4)).toBe(true)
  })
})

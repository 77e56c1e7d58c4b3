import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { call, startCall, statuses, type Outcome } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { InstanceDouble, type InstanceDoubleOptions, instanceTestKey } from '../support/instance-double.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { RawConnection } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a gateway before instances', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let gateway: GatewayProcess
  const instances: InstanceDouble[] = []
  let functions = 0
  beforeAll(async () => {
    provider = await ScriptedProvider.start()
    gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_INSTANCE_KEY: instanceTestKey } })
  })
  afterEach(async () => {
    await Promise.all(instances.splice(0).map((one) => one[Symbol.asyncDispose]()))
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  /** A function of its own, with instances that the gateway knows. */
  async function startFunction(count: number, options: InstanceDoubleOptions = {}) {
    functions += 1
    const name = `function-${functions}`
    provider.add({ name })
    for (let i = 0; i < count; i += 1) {
      const instance = await InstanceDouble.start({ workMs: 0, ...options, name })
      instances.push(instance)
      await instance.report([gateway.url])
    }
    return { name, url: `${gateway.url}/function/${name}`, instances: [...instances] }
  }

  it.each([0, 2])('loses no GET when instances are killed under load (limit %i)', async (limit) => {
    const { url, name, instances: started } = await startFunction(4, { workMs: 5, limit })
    const outcomes: Outcome[] = []
    const over = new AbortController()
    const load = Array.from({ length: 20 }, async () => {
      while (!over.signal.aborted) outcomes.push(await call(`${url}/path?query`))
    })

    for (const instance of started.slice(0, 3)) {
      const served = instance.served
      await eventually('it to be under load', () => instance.served > served + 10)
      instance.kill()
    }
    const survivor = started.at(-1)
    const served = survivor?.served ?? 0
    await eventually('the last one to work for all', () => (survivor?.served ?? 0) > served + 50)
    over.abort()
    await Promise.all(load)

    expect(statuses(outcomes)).toEqual({ 200: outcomes.length })
    expect(provider.count('invoke', name)).toBe(0)
    expect(outcomes.length).toBeGreaterThan(80)
  })

  it.each(['full', 'draining', 'not_ready'] as const)(
    'sends a POST elsewhere, body and all, when one is %s',
    async (reason) => {
      const { url, instances: started } = await startFunction(2, { limit: reason === 'full' ? 1 : 0 })
      const [one, two] = started
      if (one === undefined || two === undefined) throw new Error('there are two')
      one.refuses = reason

      const bodies = Array.from({ length: 20 }, (_, i) => `body ${i} `.repeat(100))
      const outcomes: Outcome[] = []
      for (const body of bodies) outcomes.push(await call(url, { method: 'POST', body }))

      expect(statuses(outcomes)).toEqual({ 200: 20 })
      expect(outcomes.map(({ body }) => body)).toEqual(bodies)
      expect([one.served, two.served]).toEqual([0, 20])
      expect(one.refused[reason]).toBeGreaterThan(0)
    },
  )

  it.each([0, 1])('opens a WebSocket elsewhere, and counts it as a call (limit %i)', async (limit) => {
    const { name, instances: started } = await startFunction(2, { limit })
    const [one, two] = started
    if (one === undefined || two === undefined) throw new Error('there are two')
    const connect = async (): Promise<RawConnection> => {
      const connection = await RawConnection.open(gateway.url)
      const head = `GET /function/${name}/chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
      await connection.send(`${head}hello`)
      return connection
    }
    one.refuses = limit === 0 ? 'draining' : 'full'
    await using first = await connect()
    await eventually('the echo of the first', () => first.received.includes('hello'))

    await using second = await connect()
    if (limit === 1) {
      await eventually('the second to wait', () => two.slots.waiting.length === 1)
      await first[Symbol.asyncDispose]()
    }
    await eventually('the echo of the second', () => second.received.includes('hello'))

    expect(second.received.toString()).toMatch(/^HTTP\/1\.1 101 /)
    expect([one.served, two.served, two.slots.inFlight]).toEqual([0, 2, limit === 1 ? 1 : 2])
  })

  it('waits for a slot with a body that it can send once only', async () => {
    const { url, instances: started } = await startFunction(2, { limit: 1, workMs: 5 })
    const body = 'x'.repeat(300_000)

    const outcomes = await Promise.all(Array.from({ length: 12 }, () => call(url, { method: 'POST', body })))

    expect(statuses(outcomes)).toEqual({ 200: 12 })
    expect(outcomes.every((one) => one.body === body)).toBe(true)
    expect(started.map(({ refused }) => refused.full)).toEqual([0, 0])
    expect(started.flatMap(({ slotsUsed }) => slotsUsed)).not.toContain(undefined)
    expect(started.map(({ mostInFlight }) => mostInFlight)).toEqual([1, 1])
  })

  it('falls back on the provider when no instance accepts a connection, and comes back to one that does', async () => {
    const { url, name, instances: started } = await startFunction(2)
    for (const instance of started) await instance[Symbol.asyncDispose]()

    const outcomes = await Promise.all([call(url), call(url, { method: 'POST', body: 'kept' })])
    expect(statuses(outcomes)).toEqual({ 200: 2 })
    expect(provider.count('invoke', name)).toBe(2)
    const fresh = await InstanceDouble.start({ name, workMs: 0 })
    instances.push(fresh)
    await fresh.report([gateway.url])
    await call(url)

    expect([fresh.served, provider.count('invoke', name)]).toEqual([1, 2])
  })

  it("passes a function's own 503 on", async () => {
    const { url, instances: started } = await startFunction(2, { workMs: 10_000 })
    const calling = startCall(url)
    await eventually('the call to be worked on', () => started.some(({ calls }) => calls.length === 1))

    for (const { calls } of started) calls[0]?.finish(503)

    expect((await calling.outcome).status).toBe(503)
    expect(started.reduce((sum, { served }) => sum + served, 0)).toBe(1)
  })

  it('lets no client forge what gateways and sidecars say to each other', async () => {
    const { url, instances: started } = await startFunction(1, { limit: 1 })
    const [instance] = started
    if (instance === undefined) throw new Error('there is one')
    const headers: Record<string, string>[] = []
    instance.onCall = (one) =>
      void headers.push(Object.fromEntries(Object.entries(one.headers).map(([k, v]) => [k, String(v)])))

    const outcome = await call(url, {
      headers: {
        'X-Pilotlight-Gateway': 'forged',
        'x-pilotlight-slot': 'slot-1',
        'x-pilotlight-instance': 'forged',
        'x-pilotlight-refusal': 'full',
        connection: 'close, x-pilotlight-gateway',
      },
    })

    expect(outcome.status).toBe(200)
    expect(Object.keys(headers[0] ?? {}).filter((name) => name.startsWith('x-pilotlight-'))).toEqual([
      'x-pilotlight-gateway',
      'x-pilotlight-instance',
    ])
    expect(headers[0]?.['x-pilotlight-instance']).toBe(instance.id)
    expect(headers[0]?.['x-pilotlight-gateway']).toMatch(/-[0-9a-f]{12}$/)
    expect(instance.slotsUsed).toEqual([undefined])
  })

  it('takes no report without the key, and shows what it knows', async () => {
    const { name } = await startFunction(1, { limit: 3 })

    const forger = await InstanceDouble.start({ name, key: 'another key' })
    instances.push(forger)

    await expect(forger.report([gateway.url])).rejects.toThrow(/401/)
    const listed = await call(`${gateway.url}/system/instances?name=${name}`)

    expect(JSON.parse(listed.body)).toEqual([expect.objectContaining({ name, phase: 'ready', limit: 3 })])
    expect(metricValue(await gateway.metrics(), 'pilotlight_instance_reports_total', { outcome: 'unsigned' })).toBe(1)
  })
})

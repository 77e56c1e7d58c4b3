import { connect } from 'node:net'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { document, section, tableRows } from '../support/documents.ts'
import { eventually } from '../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { InstanceDouble, instanceTestKey } from '../support/instance-double.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { type RedisServer, startRedis } from '../support/redis-servers.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

interface Series {
  readonly type: string
  readonly labels: ReadonlySet<string>
}

let provider: ScriptedProvider
let gateway: GatewayProcess
let other: GatewayProcess
let withWorkers: GatewayProcess
let redis: RedisServer
let scraped: ReadonlyMap<string, Series>

guardAgainstLeaks('file')
beforeAll(async () => {
  provider = await ScriptedProvider.start(
    { name: 'sleepy', desired: 0 },
    { name: 'busy', desired: 0, readyAfterMs: -1 },
    { name: 'broken' },
    { name: 'followed', desired: 0, readyAfterMs: -1 },
    { name: 'echo' },
  )
  redis = await startRedis()
  const pluginOptions = { 'scale-from-zero': { maxHeldPerFunction: 2 } }
  const options = {
    env: {
      functions_provider_url: provider.url,
      PILOTLIGHT_REDIS_URL: redis.url,
      PILOTLIGHT_INSTANCE_KEY: instanceTestKey,
    },
    config: stringify({ pluginOptions }),
  }
  gateway = await startGatewayProcess(options)
  other = await startGatewayProcess(options)
  withWorkers = await startGatewayProcess({
    env: { functions_provider_url: provider.url, PILOTLIGHT_WORKERS: '2' },
  })
  await everyKindOfEvent()
  const ofWorkers = [...seriesOf(await withWorkers.metrics())].filter(([name]) => name.startsWith('pilotlight_worker'))
  scraped = new Map([...seriesOf(await gateway.metrics()), ...ofWorkers])
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  await withWorkers[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

/**
 * Makes each series appear: a cold start with two callers, one caller too many, a client that leaves, a cut answer, a wake that
 * another gateway leads, a call that waits for a slot, an instance that leaves, a Redis that goes away.
 */
async function everyKindOfEvent(): Promise<void> {
  await call('sleepy')
  await follow()
  const leaving = [leaver('busy'), leaver('busy')]
  await eventually('two calls to be held', async () =>
    (await gateway.metrics()).includes('\npilotlight_held_requests 2\n'),
  )
  expect(await call('busy')).toBe(503)
  for (const one of leaving) one.leave()
  await Promise.all(leaving.map(({ gone }) => gone))
  provider.function('broken').handler = (_request, response) => {
    response.write('half of it')
    setImmediate(() => response.destroy())
  }
  await expect(call('broken')).rejects.toThrow()
  await eventually('the events to be counted', async () => {
    const page = await gateway.metrics()
    return page.includes('pilotlight_aborted_total{') && page.includes('outcome="abandoned"')
  })
  await waitForSlot()
  await redis.kill()
  await eventually('the loss of Redis to be counted', async () =>
    (await gateway.metrics()).includes('\npilotlight_coordination_degraded 1\n'),
  )
}

/** Waits for a function that another gateway wakes, until that one's callers have left. */
async function follow(): Promise<void> {
  const leading = leaver('followed', other)
  await eventually('the other gateway to lead', () => provider.count('scale', 'followed') > 0)
  const following = leaver('followed')
  await eventually('a call to be held', async () =>
    (await gateway.metrics()).includes('\npilotlight_held_requests 1\n'),
  )
  leading.leave()
  await eventually('the wait for the lease to end', async () =>
    (await gateway.metrics()).includes('\npilotlight_lease_wait_seconds_count '),
  )
  following.leave()
  await Promise.all([leading.gone, following.gone])
}

/** Two calls of an instance that takes one at a time, and that leaves after them. */
async function waitForSlot(): Promise<void> {
  await using instance = await InstanceDouble.start({ limit: 1 })
  await instance.report([gateway.url])
  const first = call('echo')
  await eventually('the first call', () => instance.calls.length === 1)
  const second = call('echo')
  await eventually('the second call to wait', async () =>
    (await gateway.metrics()).includes('\npilotlight_slot_waiting_requests 1\n'),
  )
  instance.finishOldest()
  await eventually('the second call', () => instance.served === 2)
  instance.finishOldest()
  expect(await Promise.all([first, second])).toEqual([200, 200])
  await instance.report([gateway.url], 'leaving')
}

async function call(name: string): Promise<number> {
  const response = await fetch(`${gateway.url}/function/${name}`, { headers: { connection: 'close' } })
  await response.arrayBuffer()
  return response.status
}

/** A call whose client can leave. */
function leaver(name: string, at = gateway): { readonly leave: () => void; readonly gone: Promise<void> } {
  const socket = connect(Number(new URL(at.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /function/${name} HTTP/1.1\r\nHost: gateway\r\n\r\n`)
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { leave: () => socket.destroy(), gone }
}

function seriesOf(page: string): ReadonlyMap<string, Series> {
  const types = new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']))
  const found = new Map([...types].map(([name, type]) => [name, { type, labels: new Set<string>() }]))
  for (const [, sample = '', labels = ''] of page.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const name = types.has(sample) ? sample : sample.replace(/_(?:bucket|sum|count)$/, '')
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) {
      if (label !== 'le') found.get(name)?.labels.add(label)
    }
  }
  return found
}

const rows = tableRows(section(document('README.md'), '## Metrics')).map(([name = '', type = '', labels = '']) => ({
  name: name.replaceAll('`', ''),
  type,
  labels: [...labels.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
}))

describe('the table of metrics in README.md', () => {
  it('has every series of a running gateway, and no other', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...scraped.keys()].toSorted())
  })

  it.each(rows)('says type and labels of $name', ({ name, type, labels }) => {
    const series = scraped.get(name)

    expect(type).toBe(series?.type)
    expect(labels.toSorted()).toEqual([...(series?.labels ?? [])].toSorted())
  })
})

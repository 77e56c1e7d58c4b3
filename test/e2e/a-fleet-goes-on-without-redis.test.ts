import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { metricValue } from '../support/metrics-page.ts'
import { startRedis, type RedisServer } from '../support/redis-servers.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { SteadyCallers } from '../support/steady-callers.ts'

/** Rules of the user that the gateways log in as. */
const everything = 'allcommands allkeys allchannels'

let redis: RedisServer
let wire: FaultProxy
let provider: ScriptedProvider
let gateways: readonly GatewayProcess[]

beforeAll(async () => {
  redis = await startRedis({ acl: [`gateway on >secret ${everything}`] })
  wire = await FaultProxy.start(redis.port)
  provider = await ScriptedProvider.start({ name: 'warm', desired: 1 })
  const env = { PILOTLIGHT_REDIS_URL: wire.through(redis.url).replace('//', '//gateway:secret@') }
  gateways = await Promise.all([startGatewayBefore(provider, { env }), startGatewayBefore(provider, { env })])
})

afterAll(async () => {
  for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await wire[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

async function allAre(isDegraded: boolean): Promise<void> {
  for (const gateway of gateways) {
    await eventually(`a gateway to be ${isDegraded ? 'alone' : 'back'}`, async () => {
      return metricValue(await gateway.metrics(), 'pilotlight_coordination_degraded') === (isDegraded ? 1 : 0)
    })
  }
}

/** Has both gateways wake a new function for ten callers each; returns the answers. */
async function wakeEverywhere(name: string): Promise<Readonly<Record<number, number>>> {
  provider.add({ name, desired: 0, readyAfterMs: 100 })
  const outcomes = await Promise.all(gateways.map((gateway) => callTogether(10, `${gateway.url}/function/${name}`)))
  return statuses(outcomes.flat())
}

describe('while Redis is of no use, warm calls do not notice and cold ones are served:', () => {
  it.each<[string, { begin: () => unknown; end: () => unknown }]>([
    ['it was killed', { begin: () => redis.kill(), end: () => redis.restart() }],
    ['it hangs', { begin: () => redis.pause(), end: () => redis.resume() }],
    ['it is too slow', { begin: () => wire.set({ kind: 'latency', ms: 80 }), end: () => wire.set({ kind: 'pass' }) }],
    [
      'connections are black holes',
      { begin: () => wire.set({ kind: 'blackHole' }), end: () => wire.set({ kind: 'pass' }) },
    ],
    [
      'its answers are lost',
      { begin: () => wire.set({ kind: 'halfOpen', lost: 'toClient' }), end: () => wire.set({ kind: 'pass' }) },
    ],
    ['connections are reset', { begin: () => wire.set({ kind: 'reset' }), end: () => wire.set({ kind: 'pass' }) }],
    [
      'it is a read-only replica',
      {
        begin: () => redis.command('REPLICAOF', '127.0.0.1', '1'),
        end: () => redis.command('REPLICAOF', 'NO', 'ONE'),
      },
    ],
    [
      'it is out of memory',
      {
        begin: () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
        end: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
      },
    ],
    [
      'the user may not write',
      {
        begin: () => redis.command('ACL', 'SETUSER', 'gateway', '-@write'),
        end: () => redis.command('ACL', 'SETUSER', 'gateway', '+@all'),
      },
    ],
    [
      'the user may not publish',
      {
        begin: () => redis.command('ACL', 'SETUSER', 'gateway', 'resetchannels'),
        end: () => redis.command('ACL', 'SETUSER', 'gateway', 'allchannels'),
      },
    ],
    [
      'the user is disabled',
      {
        begin: async () => {
          await redis.command('ACL', 'SETUSER', 'gateway', 'off')
          await redis.command('CLIENT', 'KILL', 'USER', 'gateway')
        },
        end: () => redis.command('ACL', 'SETUSER', 'gateway', 'on'),
      },
    ],
  ])('%s', async (_, { begin, end }) => {
    await allAre(false)
    const load = new SteadyCallers(gateways.map(({ url }) => `${url}/function/warm`))
    provider.add({ name: 'woken-meanwhile', desired: 0, readyAfterMs: 300 })
    const waiting = Promise.all(
      gateways.map((gateway) => callTogether(5, `${gateway.url}/function/woken-meanwhile?${randomUUID()}`)),
    )
    await eventually('the wake to begin', () => provider.count('scale', 'woken-meanwhile') > 0)

    await begin()
    const alone = await wakeEverywhere(`alone-${randomUUID()}`)
    await allAre(true)
    await end()
    await allAre(false)
    const together = `together-${randomUUID()}`
    const back = await wakeEverywhere(together)

    const waited = await waiting
    const warm = await load.stop()
    provider.remove('woken-meanwhile')
    expect(statuses(waited.flat())).toEqual({ 200: 10 })
    expect(alone).toEqual({ 200: 20 })
    expect(back).toEqual({ 200: 20 })
    expect(provider.count('scale', together)).toBe(1)
    expect(Object.keys(warm)).toEqual(['200'])
    expect(load.count).toBeGreaterThan(100)
  })

  it('a flush costs a wake no more than one lease', async () => {
    await allAre(false)
    const load = new SteadyCallers(gateways.map(({ url }) => `${url}/function/warm`))
    const name = `flushed-${randomUUID()}`
    provider.add({ name, desired: 0, readyAfterMs: 600 })
    const waiting = Promise.all(gateways.map((gateway) => callTogether(10, `${gateway.url}/function/${name}`)))
    await eventually('the wake to begin', () => provider.count('scale', name) > 0)

    await redis.command('FLUSHALL')

    const answers = await waiting
    const warm = await load.stop()
    expect(statuses(answers.flat())).toEqual({ 200: 20 })
    expect(provider.count('scale', name)).toBe(1)
    expect(Object.keys(warm)).toEqual(['200'])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFlags } from '../bench/start-flags.ts'
import { call } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { addBodyFunctions } from '../support/soak-body-functions.ts'
import { type BodyPlan, digestOf, mebibyte } from '../support/soak-bytes.ts'
import { engines } from '../support/soak-engines.ts'
import { PeakMemory } from '../support/soak-memory.ts'
import { CallPace, type End, fastEnd, LateReader, standstill, UnderWay } from '../support/soak-pace.ts'
import { type BodyFraming, type Direction, transfer, type Transferred } from '../support/soak-transfer.ts'

/** In pieces that no buffer on the way has the size of. */
const small: BodyPlan = { bytes: mebibyte, pieceBytes: 1_777 }
const medium: BodyPlan = { bytes: 8 * mebibyte, pieceBytes: 65_536 }
const large: BodyPlan = { bytes: 100 * mebibyte, pieceBytes: 65_536 }
/**
 * How much more memory six or seven bodies of 100 MiB may cost than six of 8 MiB. Resident memory moves by 30 to 70 MiB with what is
 * not collected yet; without back-pressure on one of the ways it grows by more than 110.
 */
const growthBytes = 96 * mebibyte
const ways = (['upload', 'download', 'echo'] as const).flatMap((direction) =>
  (['length', 'chunked'] as const).map((framing) => [direction, framing] as const),
)

/** A machine that others use as well may take minutes; nothing here is measured in time. */
const patienceMs = 180_000

/** Who is slow, which way the body goes, and how it is framed. */
const slowEnds = [
  ['a client that reads slowly', 'download', 'length'],
  ['a client that reads slowly, without a length', 'download', 'chunked'],
  ['a client that reads slowly what it sends itself', 'echo', 'chunked'],
  ['a function that reads slowly', 'upload', 'length'],
  ['a function that reads slowly, without a length', 'upload', 'chunked'],
  ['a client that writes slowly', 'upload', 'chunked'],
  ['a function that writes slowly', 'download', 'chunked'],
] as const

describe.each(engines)('the engine %s', (engine) => {
  guardAgainstLeaks('file')
  const farEnds = new Map<string, End>()
  let provider: ScriptedProvider
  let gateway: GatewayProcess
  let ceilingBytes = 0
  const move = (direction: Direction, framing: BodyFraming, plan: BodyPlan): Promise<Transferred> =>
    transfer({ url: gateway.url, direction, framing, plan })
  const moveAll = (plan: BodyPlan): Promise<readonly Transferred[]> =>
    Promise.all(ways.map(([direction, framing]) => move(direction, framing, plan)))

  beforeAll(async () => {
    provider = await ScriptedProvider.start({ name: 'ping' })
    addBodyFunctions(provider, farEnds)
    const env = { PILOTLIGHT_ENGINE: engine, read_timeout: '10m', write_timeout: '10m', upstream_timeout: '10m' }
    gateway = await startGatewayBefore(provider, { env, nodeFlags: startFlags })
    // What code, garbage and a grown young generation take is there with bodies of any size.
    const memory = new PeakMemory(gateway.pid)
    for (let round = 0; round < 3; round += 1) await moveAll(medium)
    ceilingBytes = memory.bytes + growthBytes
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  it.each(ways)('moves 1 MiB exactly: %s, %s', async (direction, framing) => {
    expect(await move(direction, framing, small)).toEqual({ status: 200, isWhole: true, arrived: digestOf(small) })
  })

  it(
    'moves six bodies of 100 MiB at once, exactly and in bounded memory',
    async () => {
      const memory = new PeakMemory(gateway.pid)

      const moved = await moveAll(large)

      for (const one of moved) expect(one).toEqual({ status: 200, isWhole: true, arrived: digestOf(large) })
      expect(memory.bytes).toBeLessThan(ceilingBytes)
    },
    patienceMs,
  )

  it(
    'keeps nothing for a slow end: seven bodies of 100 MiB at once, a piece for each small call',
    async () => {
      await using pace = new CallPace(`${gateway.url}/function/ping`)
      const memory = new PeakMemory(gateway.pid)

      const moved = await Promise.all(
        slowEnds.map(async ([who, direction, framing]) => {
          const underWay = new UnderWay()
          const reading = who.includes('reads')
            ? { pace: new LateReader(pace, underWay), underWay }
            : { ...fastEnd, underWay }
          const writing = who.includes('writes') ? { pace, underWay } : { ...fastEnd, underWay }
          farEnds.set(who, direction === 'upload' ? reading : writing)
          const wish = { url: gateway.url, direction, framing, plan: large, farEnd: encodeURIComponent(who) }
          return { who, got: await transfer({ ...wish, reading, writing }), mostBytes: underWay.mostBytes }
        }),
      )

      for (const { who, got, mostBytes } of moved) {
        expect(got, `what came of the body of ${who}`).toEqual({ status: 200, isWhole: true, arrived: digestOf(large) })
        expect(mostBytes, `the most bytes between the ends of ${who}`).toBeLessThan(large.bytes)
      }
      expect(memory.bytes).toBeLessThan(ceilingBytes)
      expect(pace.calls).toBeGreaterThan(large.bytes / large.pieceBytes)
    },
    patienceMs,
  )

  it(
    'keeps nothing of a body of 100 MiB while its call is held',
    async () => {
      await using pace = new CallPace(`${gateway.url}/function/ping`)
      const sink = provider.function('sink')
      sink.readyAfterMs = -1
      await call(`${gateway.url}/system/scale-function/sink`, { method: 'POST', body: '{"replicas":0}' })
      const memory = new PeakMemory(gateway.pid)
      const underWay = new UnderWay()

      const wish = { url: gateway.url, direction: 'upload', framing: 'length', plan: large } as const
      const moving = transfer({ ...wish, writing: { ...fastEnd, underWay } })
      await standstill(pace, underWay)
      const keptBytes = underWay.mostBytes
      sink.becomeReady()

      expect(await moving).toEqual({ status: 200, isWhole: true, arrived: digestOf(large) })
      expect(keptBytes, 'bytes that could be sent while the call was held').toBeLessThan(large.bytes)
      expect(memory.bytes).toBeLessThan(ceilingBytes)
    },
    patienceMs,
  )
})

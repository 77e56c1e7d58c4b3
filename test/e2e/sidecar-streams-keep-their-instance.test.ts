import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { callTogether, statuses } from '../support/callers.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'
import type { SidecarProcess } from '../support/sidecar-process.ts'
import { EventReader, SocketTalker } from '../support/stream-clients.ts'
import { StreamingFunction } from '../support/streaming-function.ts'

/** Far longer than a story takes: what ends earlier did not end because of it. */
const longGrace = { PILOTLIGHT_GRACE_PERIOD: '60s' }

describe('an instance with an event stream and a WebSocket that is asked to end', () => {
  guardAgainstLeaks('file')
  let fleet: SidecarFleet
  let behind: StreamingFunction
  let elsewhere: StreamingFunction
  const sidecars: SidecarProcess[] = []
  beforeAll(async () => {
    fleet = await SidecarFleet.start()
    behind = await StreamingFunction.start()
    elsewhere = await StreamingFunction.start()
  })
  afterEach(async () => {
    for (const one of sidecars.splice(0)) {
      one.signal('SIGTERM')
      await one.exited
    }
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await behind[Symbol.asyncDispose]()
    await elsewhere[Symbol.asyncDispose]()
  })

  /** An instance with two streams, one through each gateway, and another one that takes calls too. It is asked to end. */
  async function leaveWithStreams(env: Readonly<Record<string, string>>) {
    const old = await fleet.front(behind.url, { env })
    await fleet.areReady([old.id])
    const [one = '', two = ''] = fleet.urls
    const events = new EventReader(`${one}/events`)
    const socket = new SocketTalker(two)
    await events.reads('begun')
    await socket.opened()
    const other = await fleet.front(elsewhere.url)
    sidecars.push(old.sidecar, other.sidecar)
    await fleet.areReady([old.id, other.id])

    const askedAtMs = performance.now()
    old.sidecar.signal('SIGTERM')
    await fleet.areReady([other.id])
    return { old, events, socket, askedAtMs }
  }

  it('lets both go on, and ends when they have ended, while new calls go elsewhere', async () => {
    const { old, events, socket } = await leaveWithStreams({ ...longGrace, PILOTLIGHT_STREAM_POLICY: 'finish' })
    const [served, servedElsewhere] = [behind.served, elsewhere.served]

    const outcomes = await Promise.all(fleet.urls.map((url) => callTogether(10, url)))
    behind.say('still here')
    await events.reads('still here')
    await socket.echoes('still here')
    const heldWhileOpen = await fleet.listed(fleet.gateway(1))
    socket.close()
    behind.endEvents()

    expect(statuses(outcomes.flat())).toEqual({ 200: 20 })
    expect([behind.served - served, elsewhere.served - servedElsewhere]).toEqual([0, 20])
    expect(heldWhileOpen.find(({ id }) => id === old.id)?.phase).toBe('leaving')
    expect(await Promise.all([events.ended, socket.ended])).toEqual(['complete', 'complete'])
    expect(await old.sidecar.exited).toBe(0)
  })

  it('cuts both at once where that is the policy', async () => {
    const { old, events, socket } = await leaveWithStreams({ ...longGrace, PILOTLIGHT_STREAM_POLICY: 'cut' })

    expect(await Promise.all([events.ended, socket.ended])).toEqual(['cut', 'cut'])
    expect(await old.sidecar.exited).toBe(0)
    expect(behind.open).toBe(0)
  })

  it('cuts both when the grace period is over, and says so', async () => {
    const graceMs = 1_500
    const { old, events, socket, askedAtMs } = await leaveWithStreams({ PILOTLIGHT_GRACE_PERIOD: `${graceMs}ms` })
    await socket.echoes('not yet')

    expect(await Promise.all([events.ended, socket.ended])).toEqual(['cut', 'cut'])
    expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(graceMs)
    expect(await old.sidecar.exited).toBe(0)
    expect(old.sidecar.output).toContain('the grace period is over')
    expect(behind.open).toBe(0)
  })
})

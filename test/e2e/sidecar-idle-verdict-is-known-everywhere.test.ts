import { describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { type ListedInstance, SidecarFleet } from '../support/sidecar-fleet.ts'
import { EventReader, SocketTalker } from '../support/stream-clients.ts'
import { StreamingFunction } from '../support/streaming-function.ts'

/** Reports that gateway 1 has taken. */
async function heartbeats(fleet: SidecarFleet): Promise<number> {
  return (
    metricValue(await fleet.gateway(1).metrics(), 'pilotlight_instance_reports_total', { outcome: 'accepted' }) ?? 0
  )
}

/** Whether the one instance has a load like this. */
function has(isWanted: (load: ListedInstance['load']) => boolean) {
  return ([one]: readonly ListedInstance[]): boolean => one !== undefined && isWanted(one.load)
}

describe('an instance that reports to one gateway and is called through the other', () => {
  guardAgainstLeaks()

  it('is known to be busy or idle at both, a heartbeat later', async () => {
    await using behind = await StreamingFunction.start()
    await using fleet = await SidecarFleet.start({ env: { PILOTLIGHT_INSTANCE_TTL: '1500ms' } })
    const [told, calling] = [fleet.gateway(1), fleet.gateway(2)]
    const { id } = await fleet.front(behind.url, { reportsTo: [told] })
    await fleet.areReady([id])
    const url = `${calling.url}/function/echo`
    expect((await call(url)).status).toBe(200)
    const beforeStreams = await heartbeats(fleet)

    using events = new EventReader(`${url}/events`)
    using socket = new SocketTalker(url)
    await events.reads('begun')
    await socket.opened()
    const areOpen = has(({ inFlight, streams, idleForMs }) => inFlight === 2 && streams === 2 && idleForMs === 0)
    await fleet.sees('two streams', areOpen, [told])
    const afterStreams = await heartbeats(fleet)
    await fleet.sees('two streams', areOpen)
    behind.endEvents()
    await events.ended
    await fleet.sees(
      'one stream',
      has(({ inFlight, streams }) => inFlight === 1 && streams === 1),
    )
    const beforeEndMs = performance.now()
    socket.close()
    await socket.ended
    await fleet.sees(
      'nothing under way',
      has(({ inFlight, streams }) => inFlight === 0 && streams === 0),
    )
    const atEnd = await Promise.all(fleet.gateways.map((one) => fleet.listed(one)))
    const sinceMs = performance.now() - beforeEndMs
    await fleet.sees(
      'it idle for a second',
      has(({ idleForMs }) => idleForMs >= 1_000),
    )

    // One report may have been on its way when the streams began.
    expect(afterStreams - beforeStreams).toBeLessThanOrEqual(2)
    for (const [one] of atEnd) expect(one?.load.idleForMs).toBeLessThanOrEqual(sinceMs)
    expect((await fleet.listed(told))[0]?.gateway.inFlight).toBe(0)
  })
})

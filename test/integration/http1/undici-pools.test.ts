import { describe, expect, it } from 'vitest'
import { UndiciForwarder } from '../../../core/http/undici-forwarder.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RequestAndClient } from '../../unit/http/some-request.ts'
import { answer, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

const options = { maxConnectionsPerUpstream: 10, maxHeaderBytes: 65_536, connectTimeoutMs: 1_000 }

describe('UndiciForwarder', () => {
  it('closes the pool of an origin that nobody has called for a minute, after its calls', async () => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start(() => {})
    await using forwarder = new UndiciForwarder({ clock, options })
    const { request } = new RequestAndClient()
    const reply = forwarder.forward({ request, origin: upstream.origin, path: '/', headers: [], timeoutMs: 0 })
    await eventually('the call', () => upstream.requests === 1)

    await clock.advance(120_000)
    upstream.connections[0]?.socket.write(answer('late'))

    expect((await reply).status).toBe(200)
    expect(clock.pending).toBe(0)
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it('keeps the pool of an origin that is called', async () => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start()
    await using forwarder = new UndiciForwarder({ clock, options })

    for (let i = 0; i < 4; i += 1) {
      const { request } = new RequestAndClient()
      await forwarder.forward({ request, origin: upstream.origin, path: '/', headers: [], timeoutMs: 0 })
      await clock.advance(40_000)
    }

    expect(upstream.connections).toHaveLength(1)
  })
})

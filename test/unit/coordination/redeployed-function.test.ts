import { describe, expect, it } from 'vitest'
import { echo, SimulatedFleet } from './simulated-fleet.ts'

describe('a function that is deployed anew', () => {
  it('is known everywhere with its first observation', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state())
    await one.fleet.shared.forget(echo)

    await other.fleet.shared.observe(fleet.state({ phase: 'zero', desired: 0 }))

    expect([one.phase, other.phase]).toEqual(['zero', 'zero'])
  })

  it('stays forgotten for a gateway that observed it before it heard of its end', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state())
    other.store.connection.losesMessage = () => true
    await one.fleet.shared.forget(echo)

    await other.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    expect(one.phase).toBeUndefined()
    expect(await one.store.read(echo.key)).toBeUndefined()
  })
})

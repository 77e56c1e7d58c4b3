import { LineStore } from '../../../core/coordination/local-store/line-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { functionIdentity } from '#core'
import { FakeLogger } from '../../support/fake-logger.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'

// What a worker is to the store: takes part over its channel, leads one function and one role for as long as it lives.
const clock = new SystemClock()
const line = new ProcessLine(process)
const store = new LineStore({ line, clock, log: new FakeLogger() })
const gateway = new FleetGateway({ store, clock, leaseTtlMs: 60_000 })
await gateway.fleet.start()
const acquired = await gateway.fleet.leases.acquire(functionIdentity('echo', 'fn'))
const holdsRole = await gateway.fleet.election.leads('feed', 60_000)
line.send('leads', { holdsRole, fence: acquired.role === 'leader' ? acquired.lease.fence : 0 })

import { MemoryCoordinator } from '../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../core/replicas/local-replica-directory.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { describeCoordinator } from './describe-coordinator.ts'

describeCoordinator('MemoryCoordinator', async () => {
  const clock = new FakeClock()
  const directory = new LocalReplicaDirectory({ clock })
  const coordinator = new MemoryCoordinator({ clock, directory })
  return { coordinator, directory, [Symbol.asyncDispose]: async () => coordinator.close() }
})

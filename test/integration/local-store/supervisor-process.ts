import { LocalStore } from '../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../core/coordination/local-store/serve-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

// What a supervisor is to the store: it has it. Here it is the child, so that a test can stop it.
serveStore(new LocalStore({ clock: new SystemClock(), log: new FakeLogger() }), new ProcessLine(process))

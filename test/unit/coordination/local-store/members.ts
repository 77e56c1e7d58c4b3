import type { StoreChange } from '../../../../core/coordination/coordination-store.ts'
import { LineStore } from '../../../../core/coordination/local-store/line-store.ts'
import { LocalStore } from '../../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../../core/coordination/local-store/serve-store.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { joinLines, type JoinedLines } from '../../../support/joined-lines.ts'

/** A worker's part of a store in another process, and what it was told. */
export interface Member extends JoinedLines {
  readonly store: LineStore
  readonly changes: StoreChange[]
  /** What was told in which order: keys of changes, or their kind where they have none, and `subscribed`. */
  readonly told: string[]
  readonly serving: Disposable
}

/** A store and its members, each at the other end of a line. */
export class Members {
  readonly clock = new FakeClock()
  readonly log = new FakeLogger()
  readonly store = new LocalStore({ clock: this.clock, log: this.log })

  /** Adds a member that is not open yet. */
  add(origin: string): Member {
    const { clock, log } = this
    const lines = joinLines()
    const serving = serveStore(this.store, lines.supervisor)
    return {
      ...lines,
      serving,
      store: new LineStore({ line: lines.worker, clock, log, origin }),
      changes: [],
      told: [],
    }
  }

  /** Adds a member, and resolves when it takes part. */
  async join(origin: string): Promise<Member> {
    const member = this.add(origin)
    openMember(member)
    await member.store.probe('f')
    return member
  }
}

/** Opens a member's store, and notes what it is told. */
export function openMember({ store, changes, told }: Member): void {
  store.open(
    (change) => {
      changes.push(change)
      told.push('key' in change ? change.key : change.kind)
    },
    () => told.push('subscribed'),
  )
}

import type { Line } from '../../workers/line.ts'
import { answerQuestions } from '../../workers/questions.ts'
import type { CoordinationStore } from '../coordination-store.ts'
import { ChangeFeed } from './change-feed.ts'
import type { LocalStore } from './local-store.ts'
import { callTopic, membershipTopic, storeMethods, type Membership, type StoreCall } from './store-messages.ts'

/**
 * Lets the process at the other end of a line take part in a store by a `LineStore`, from now until the line is closed or the
 * result is disposed. Its leases and roles are given up then, and the others told, so that they need not wait for the expiry.
 */
export function serveStore(store: LocalStore, line: Line): Disposable {
  const served = new ServedMember(store, line)
  const serving = [
    line.receive(membershipTopic, (message) => served.take(message as Membership)), // the other side is this program
    answerQuestions(line, callTopic, (call) => served.perform(call as StoreCall)), // the other side is this program
    line.onClosed(() => served.leave()),
  ]
  return {
    [Symbol.dispose]: () => {
      for (const one of serving) one[Symbol.dispose]()
      served.leave()
    },
  }
}

class ServedMember {
  readonly #store: LocalStore
  readonly #feed: ChangeFeed
  #member: CoordinationStore | undefined

  constructor(store: LocalStore, line: Line) {
    this.#store = store
    this.#feed = new ChangeFeed(line)
  }

  take(message: Membership): void {
    if (message.kind === 'join') this.#join(message.origin)
    else if (message.kind === 'heard') this.#feed.arrived(message.changes)
    else this.leave()
  }

  /** @throws Error when the worker has not joined, or is of a version with other calls */
  perform({ method, args }: StoreCall): Promise<unknown> {
    const member = this.#member
    if (member === undefined) throw new Error('who has not joined has no part in the store')
    if (!storeMethods.includes(method)) throw new Error(`the store has no ${method}`)
    const call = member[method] as (...given: unknown[]) => Promise<unknown> // StoreCall pairs methods with their arguments
    return call.apply(member, args)
  }

  leave(): void {
    void this.#member?.[Symbol.asyncDispose]()
    this.#member = undefined
  }

  #join(origin: string): void {
    this.leave()
    this.#member = this.#store.member(origin)
    this.#member.open(
      (change) => this.#feed.tell(change),
      () => this.#feed.begin(),
    )
  }
}

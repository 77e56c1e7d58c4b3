import type { Line } from '../../workers/line.ts'
import type { StoreChange } from '../coordination-store.ts'
import { changesPerReceipt, newsTopic, type News } from './store-messages.ts'

/** Changes on their way to one worker before it is counted as missing what follows. A multiple of `changesPerReceipt`. */
const mostUnderWay = 10 * changesPerReceipt

/**
 * Tells a worker of changes. One that does not listen for a while, because it is stopped or busy, costs no more memory than
 * {@link mostUnderWay} changes: it misses the rest, and its subscription begins anew when it has heard the others.
 */
export class ChangeFeed {
  readonly #line: Line
  #sent = 0
  #heard = 0
  #hasMissed = false

  constructor(line: Line) {
    this.#line = line
  }

  /** Tells the worker that its subscription stands. */
  begin(): void {
    this.#send({ kind: 'subscribed' })
  }

  /** Tells the worker of a change, if it keeps up. */
  tell(change: StoreChange): void {
    if (this.#sent - this.#heard >= mostUnderWay) this.#hasMissed = true
    if (this.#hasMissed) return
    this.#sent += 1
    this.#send(change)
  }

  /** Takes note that so many changes have arrived. */
  arrived(changes: number): void {
    this.#heard = changes
    if (!this.#hasMissed || this.#heard < this.#sent) return
    this.#hasMissed = false
    this.begin()
  }

  #send(news: News): void {
    this.#line.send(newsTopic, news)
  }
}

import type { Clock } from '#core/lean'
import type { ProbeFinding } from './probe.ts'

/** How it is asked. */
export interface ReadinessWatchDeps {
  readonly clock: Clock
  /** Asks once; never rejects. */
  readonly ask: (signal: AbortSignal) => Promise<ProbeFinding>
  /** Pause between two looks while it is ready, milliseconds. */
  readonly intervalMs: number
  /** Called with every change of the verdict. */
  readonly onVerdict: (verdict: Verdict) => void
}

/** What is known of the function's readiness. */
export interface Verdict {
  readonly isReady: boolean
  /** Why it is not, once that is no mere start any more; else empty. Safe to show. */
  readonly problem: string
}

/** Failures without a success between them after which a function that was ready is not. One that nobody listens for is not at once. */
const maxFailures = 3
/** Longest pause after the first of them. */
const doubtfulPauseMs = 200
/** How long a function that was ready may only be late with its answers: one thread that works on a call answers nothing else. */
const maxLateMs = 30_000
/** Pauses meanwhile: what asks a busy function waits in its queue, answered after the asker has left. */
const latePauseMs = { shortest: 1_000, longest: 5_000 }
/** A function that is not ready is young for so long: it is asked at full speed, and nothing is wrong yet. */
const youngMs = 2000
/** Pauses between questions to a young one: for a connection, which costs it nothing, and for a path. */
const youngPauseMs = { refused: 1, late: 5, failing: 5 }
const longestPauseMs = 100
/** Of the time that asking takes on a busy machine, so many times as much is left to others. */
const shareOfOthers = 4

/**
 * Notices when a function becomes ready, and when it is not ready any more. Asks at once and then every millisecond or two while it is
 * young, because that pause is what callers of a cold function wait for; later less and less; and slowly while it is ready.
 *
 * young -> ready -> young again -> ...
 */
export class ReadinessWatch implements Disposable {
  readonly #deps: ReadinessWatchDeps
  readonly #stopping = new AbortController()
  #verdict: Verdict = { isReady: false, problem: '' }
  #hasBeenReady = false
  #unreadySinceMs = 0
  #failures = 0
  /** When the function, which was ready, was first late; undefined once it has answered well. */
  #lateSinceMs: number | undefined
  #isSuspected = false
  #endPause: (() => void) | undefined

  constructor(deps: ReadinessWatchDeps) {
    this.#deps = deps
  }

  /** Begins to ask. */
  start(): void {
    this.#unreadySinceMs = this.#deps.clock.monotonicMs()
    void this.#run()
  }

  /** A call found the function refusing connections: looks now instead of later. */
  suspect(): void {
    this.#isSuspected = true
    this.#endPause?.()
  }

  [Symbol.dispose](): void {
    this.#stopping.abort()
    this.#endPause?.()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#isSuspected = false
      const startedMs = this.#deps.clock.monotonicMs()
      const finding = await this.#deps.ask(signal)
      if (signal.aborted) return
      this.#judge(finding)
      await this.#pause(this.#pauseMs(finding, this.#deps.clock.monotonicMs() - startedMs))
    }
  }

  #judge(finding: ProbeFinding): void {
    if (finding.kind === 'well') {
      this.#failures = 0
      this.#lateSinceMs = undefined
      this.#hasBeenReady = true
      this.#tell({ isReady: true, problem: '' })
      return
    }
    const { isReady } = this.#verdict
    if (isReady && this.#isForgiven(finding.kind)) return
    if (isReady) this.#unreadySinceMs = this.#deps.clock.monotonicMs()
    this.#tell({ isReady: false, problem: this.#hasBeenReady || !this.#isYoung ? finding.problem : '' })
  }

  /** Whether a function that was ready still counts as ready, although it did not answer well. */
  #isForgiven(kind: 'refused' | 'late' | 'failing'): boolean {
    if (kind === 'late') {
      this.#lateSinceMs ??= this.#deps.clock.monotonicMs()
      return this.#deps.clock.monotonicMs() - this.#lateSinceMs < maxLateMs
    }
    this.#failures += 1
    return kind === 'failing' && this.#failures < maxFailures
  }

  get #isYoung(): boolean {
    return this.#deps.clock.monotonicMs() - this.#unreadySinceMs < youngMs
  }

  #pauseMs(finding: ProbeFinding, costMs: number): number {
    const { isReady } = this.#verdict
    if (finding.kind === 'well') return this.#deps.intervalMs
    if (isReady && finding.kind === 'late') {
      return Math.min(Math.max(latePauseMs.shortest, this.#deps.intervalMs), latePauseMs.longest)
    }
    if (isReady) return Math.min(doubtfulPauseMs, this.#deps.intervalMs)
    const ageMs = this.#deps.clock.monotonicMs() - this.#unreadySinceMs
    const shortestMs = youngPauseMs[finding.kind]
    const ownMs = this.#isYoung ? shortestMs : Math.max(shortestMs, Math.min(longestPauseMs, ageMs / 500))
    // A path that answers late costs the function's time, not that of others.
    return finding.kind !== 'refused' ? ownMs : Math.max(ownMs, Math.min(longestPauseMs, shareOfOthers * costMs - 1))
  }

  #pause(pauseMs: number): Promise<void> {
    if (this.#isSuspected) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#deps.clock.after(pauseMs, resolve)
      this.#endPause = (): void => {
        timer[Symbol.dispose]()
        resolve()
      }
    })
  }

  #tell(verdict: Verdict): void {
    const { isReady, problem } = this.#verdict
    if (verdict.isReady === isReady && verdict.problem === problem) return
    this.#verdict = verdict
    this.#deps.onVerdict(verdict)
  }
}

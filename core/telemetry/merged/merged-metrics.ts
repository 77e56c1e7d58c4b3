import type { Clock } from '../../time/clock.ts'
import type { Line } from '../../workers/line.ts'
import { answerQuestions, Questions } from '../../workers/questions.ts'
import type { InvocationCounts } from '../invocation-counts.ts'
import type { Logger } from '../logger.ts'
import { prometheusText } from '../prometheus-text.ts'
import { serviceCount } from '../replica-series.ts'
import { functionIn } from '../series/labels.ts'
import type { SeriesTable } from '../series/series-table.ts'
import { mergeGauges, type GaugesOfProcess } from './merge-gauges.ts'
import { MergedTotals } from './merged-totals.ts'
import { ReportIntake } from './report-intake.ts'
import { sendReport } from './send-report.ts'
import { countsTopic, reportTopic, seriesTopic, type CountsAnswer } from './series-message.ts'

const reportTimeoutMs = 2_000
const countsTimeoutMs = 500
const complainEveryMs = 60_000
/** The supervisor's among the numbers of workers, which begin at 1. */
const supervisorNumber = 0

/** What {@link MergedMetrics} needs. */
export interface MergedMetricsDeps {
  readonly clock: Clock
  readonly log: Logger
  /** What the supervisor measures itself; `Metrics` fits. */
  readonly own: { read(): Promise<readonly SeriesTable[]> }
}

/**
 * The metrics of a supervisor and all its workers as one page. A worker that does not answer within 2 s contributes what it said
 * last; what a worker has counted and reported stays counted when it ends.
 *
 * Concurrency: callers that ask for a page while one is being made share it, and so do all who wait for reports.
 */
export class MergedMetrics implements InvocationCounts {
  readonly #deps: MergedMetricsDeps
  readonly #totals: MergedTotals
  readonly #own: ReportIntake
  readonly #workers = new Map<number, Reporting>()
  #ownReports = 0
  #reports: Promise<void> | undefined
  #pageInTheMaking: Promise<Iterable<Uint8Array>> | undefined
  #faults = 0
  #nextComplaintMs = Number.NEGATIVE_INFINITY

  constructor(deps: MergedMetricsDeps) {
    this.#deps = deps
    this.#totals = new MergedTotals(deps)
    this.#own = this.#intake(supervisorNumber)
  }

  /** Counts on a worker from now on. @param worker its label; no other worker has it */
  add(worker: number, line: Line): void {
    const intake = this.#intake(worker)
    const questions = new Questions({ line, topic: reportTopic, clock: this.#deps.clock })
    const listening = [
      questions,
      line.receive(seriesTopic, (message) => intake.hear(message)),
      answerQuestions(line, countsTopic, () => this.#answerCounts()),
    ]
    this.#workers.set(worker, { intake, questions, listening })
  }

  /** A worker has ended: what it counted stays. */
  retire(worker: number): void {
    const reporting = this.#workers.get(worker)
    this.#workers.delete(worker)
    for (const one of reporting?.listening ?? []) one[Symbol.dispose]()
  }

  /** Takes what a worker has counted since its last report, before it is told to end. Never rejects, and waits 2 s at most. */
  async collectLast(worker: number): Promise<void> {
    const reporting = this.#workers.get(worker)
    if (reporting !== undefined) await collectFrom(reporting)
  }

  /** Collects all series for a page in the Prometheus text format; see {@link prometheusText}. Never rejects. */
  page(): Promise<Iterable<Uint8Array>> {
    this.#pageInTheMaking ??= this.#makePage().finally(() => {
      this.#pageInTheMaking = undefined
    })
    return this.#pageInTheMaking
  }

  /** Waits 500 ms at most for what the workers have counted since they last reported. */
  async totals(): Promise<ReadonlyMap<string, number>> {
    const tooLong = Promise.withResolvers<void>()
    const limit = this.#deps.clock.after(countsTimeoutMs, tooLong.resolve)
    await Promise.race([this.#collect(), tooLong.promise])
    limit[Symbol.dispose]()
    return this.#totals.invocations()
  }

  async #answerCounts(): Promise<CountsAnswer> {
    const totals = await this.totals()
    return { names: [...totals.keys()], counts: Float64Array.from(totals.values()) }
  }

  async #makePage(): Promise<Iterable<Uint8Array>> {
    await this.#collect()
    const gauges = await mergeGauges(this.#gauges())
    const known = functionsIn(gauges)
    this.#totals.forgetUnknown((name) => known.has(name))
    return prometheusText([...this.#totals.tables(), ...gauges])
  }

  *#gauges(): Iterable<GaugesOfProcess> {
    for (const [worker, { intake }] of this.#workers) yield { worker, tables: intake.gauges }
    yield { worker: supervisorNumber, tables: this.#own.gauges }
  }

  /** Resolves when every process has reported, or had its time to. */
  #collect(): Promise<void> {
    this.#reports ??= this.#collectAll().finally(() => {
      this.#reports = undefined
    })
    return this.#reports
  }

  async #collectAll(): Promise<void> {
    await Promise.all([this.#collectOwn(), ...Array.from(this.#workers.values(), collectFrom)])
  }

  async #collectOwn(): Promise<void> {
    this.#ownReports += 1
    try {
      await sendReport(this.#deps.own, this.#ownReports, (message) => this.#own.hear(message))
    } catch (error) {
      this.#complain(supervisorNumber, error)
    }
  }

  #intake(worker: number): ReportIntake {
    return new ReportIntake({ totals: this.#totals, onFault: (fault) => this.#complain(worker, fault) })
  }

  #complain(worker: number, error: unknown): void {
    this.#faults += 1
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs < this.#nextComplaintMs) return
    this.#nextComplaintMs = nowMs + complainEveryMs
    this.#deps.log.warn('some metrics of a process are not shown', { worker, failures: this.#faults, error })
    this.#faults = 0
  }
}

/** A worker and how it is asked. */
interface Reporting {
  readonly intake: ReportIntake
  readonly questions: Questions
  readonly listening: readonly Disposable[]
}

/** A worker that hangs, fails or is gone has said what it said. */
async function collectFrom({ questions }: Reporting): Promise<void> {
  await questions.ask(undefined, reportTimeoutMs).catch(() => {})
}

function functionsIn(gauges: readonly SeriesTable[]): ReadonlySet<string> {
  const names = new Set<string>()
  const table = gauges.find(({ family }) => family.name === serviceCount)
  if (table === undefined) return names
  for (const at of table.places()) {
    const name = functionIn(table.labelsAt(at) ?? '')
    if (name !== undefined) names.add(name)
  }
  return names
}

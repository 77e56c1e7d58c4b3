import type { Line } from '../../workers/line.ts'
import { answerQuestions } from '../../workers/questions.ts'
import type { SeriesTable } from '../series/series-table.ts'
import { sendReport } from './send-report.ts'
import { reportTopic, seriesTopic } from './series-message.ts'

/**
 * Reports the series of a worker whenever its supervisor asks. Counters and histograms go as what was added since the last
 * report: the supervisor adds up, so that nothing counted is lost with a worker that has reported it, and nothing is sent of
 * series that rest.
 *
 * Concurrency: questions that come while a report is being made are answered one after the other.
 */
export class MetricsReporter implements Disposable {
  readonly #metrics: { read(): Promise<readonly SeriesTable[]> }
  readonly #line: Line
  readonly #answering: Disposable
  #reports = 0
  #lastReport: Promise<void> = Promise.resolve()

  constructor(deps: { metrics: { read(): Promise<readonly SeriesTable[]> }; line: Line }) {
    this.#metrics = deps.metrics
    this.#line = deps.line
    this.#answering = answerQuestions(deps.line, reportTopic, () => this.#answer())
  }

  [Symbol.dispose](): void {
    this.#answering[Symbol.dispose]()
  }

  #answer(): Promise<void> {
    const report = this.#lastReport.then(() => this.#report())
    this.#lastReport = report.catch(() => {}) // who asked is told; the next one is to be answered all the same
    return report
  }

  #report(): Promise<void> {
    this.#reports += 1
    return sendReport(this.#metrics, this.#reports, (message) => this.#line.send(seriesTopic, message))
  }
}

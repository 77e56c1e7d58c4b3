import { InvocationCells } from '../../../../core/telemetry/invocation-cells.ts'
import { MergedMetrics } from '../../../../core/telemetry/merged/merged-metrics.ts'
import { MetricsReporter } from '../../../../core/telemetry/merged/metrics-reporter.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { ReplicaSeries } from '../../../../core/telemetry/replica-series.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { joinLines, type JoinedLines } from '../../../support/joined-lines.ts'
import { directoryOf } from '../../plugins/notifier/some-exchange.ts'

/** What a supervisor and its workers measure, without their processes. */
export class SomeSupervisor {
  readonly clock = new FakeClock()
  readonly log = new FakeLogger()
  readonly own = new Metrics(this)
  readonly merged = new MergedMetrics(this)

  /** Adds a worker that knows these functions. */
  worker(number: number, ...functions: readonly string[]): SomeWorker {
    const lines = joinLines()
    this.merged.add(number, lines.supervisor)
    return new SomeWorker(this, lines, functions)
  }

  async page(): Promise<string> {
    return Buffer.concat([...(await this.merged.page())]).toString()
  }

  /** The lines of the page with the series of one name, in order. */
  async series(name: string): Promise<readonly string[]> {
    const lines = (await this.page()).split('\n')
    return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)).toSorted()
  }
}

/** What a worker measures, and its line to the supervisor. */
export class SomeWorker {
  readonly metrics: Metrics
  readonly cells: InvocationCells
  readonly directory
  readonly reporter: MetricsReporter
  readonly lines: JoinedLines

  constructor(deps: { clock: FakeClock; log: FakeLogger }, lines: JoinedLines, functions: readonly string[]) {
    this.lines = lines
    this.metrics = new Metrics(deps)
    this.cells = new InvocationCells(deps)
    this.directory = directoryOf(...functions)
    this.metrics.include({
      read: () => {
        this.cells.forgetUnknown((name) => this.directory.knows(name))
        return this.cells.read()
      },
    })
    this.metrics.include(new ReplicaSeries({ directory: this.directory }))
    this.reporter = new MetricsReporter({ metrics: this.metrics, line: lines.worker })
  }
}

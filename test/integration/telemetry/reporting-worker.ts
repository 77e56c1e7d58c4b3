/**
 * A process that reports its series on its channel, as workers do. Its first argument is how many functions it has counted a call
 * of; each message `count` counts one call of function `again`.
 */
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { MetricsReporter } from '../../../core/telemetry/merged/metrics-reporter.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ProcessMetrics } from '../../../core/telemetry/process-metrics.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

const [clock, log, line] = [new SystemClock(), new FakeLogger(), new ProcessLine(process)]
const metrics = new Metrics({ clock, log })
const cells = new InvocationCells({ clock, log })
metrics.include(cells)
void new ProcessMetrics({ meter: metrics.meter, version: '1.0.0' })
void new MetricsReporter({ metrics, line })

for (let i = 0; i < Number(process.argv[2]); i += 1) cells.ended(`f${i}.fn`, 200, 0.1)
line.receive('count', () => {
  cells.started('again.fn')
  cells.ended('again.fn', 200, 0.1)
  line.send('counted', undefined)
})
line.onClosed(() => process.exit())
line.send('counted', undefined)

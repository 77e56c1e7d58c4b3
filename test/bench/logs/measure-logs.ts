import { BenchProcess } from '../bench-process.ts'
import { type Burst, burst } from '../burst.ts'
import type { Say } from '../part.ts'
import { onLoadCpu } from '../pinning.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import type { SinkKind } from './log-sink.ts'
import { type AccessLogMode, LoggingGateway } from './logging-gateway.ts'

/** How long and how often to measure. */
export interface LogsPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
}

interface Sample extends Burst {
  readonly loggedBytes: number
}

const modes: readonly AccessLogMode[] = ['off', 'sampled', 'on']
const sinks: readonly SinkKind[] = ['pipe', 'file']

/** Measures what the access log costs a call: gateways that differ in nothing else take turns. */
export async function measureLogs({ rounds, seconds, connections }: LogsPlan, say: Say): Promise<void> {
  say(`\n## Access log: ${connections} connections, ${rounds} interleaved rounds of ${seconds} s, medians\n`)
  await using opened = new AsyncDisposableStack()
  const { url: upstreamUrl } = opened.use(await BenchProcess.start('upstream.ts', onLoadCpu))
  const gateways: LoggingGateway[] = []
  for (const to of sinks) {
    for (const accessLog of modes) {
      const name = `${accessLog}, to a ${to}`
      gateways.push(opened.use(await LoggingGateway.start({ name, accessLog, to, upstreamUrl })))
    }
  }
  const sample = async (gateway: LoggingGateway): Promise<Sample> => {
    const before = gateway.loggedBytes ?? Number.NaN
    const result = await burst(gateway, '/function/echo', { connections, seconds })
    return { ...result, loggedBytes: (gateway.loggedBytes ?? Number.NaN) - before }
  }
  for (const one of gateways) await sample(one)
  say(report(await inTurns(gateways, rounds, sample)))
}

const headings = [
  'access log',
  'CPU us/request',
  'measured requests/s',
  'p99 us',
  'log bytes/request',
  'its CPU / that of off',
  'failures',
]

function report(samples: Samples<Sample>): string {
  const rows = [...samples].map(([name, all]): Row => {
    const off = samples.get(name.replace(/^\w+/, 'off')) ?? []
    const whole = (pick: (one: Sample) => number): string => rounded(medianOf(all, pick), 0)
    return [
      name,
      rounded(medianOf(all, (one) => one.cpuUs)),
      whole((one) => one.perSecond),
      whole((one) => one.p99Us),
      rounded(medianOf(all, (one) => one.loggedBytes / one.requests)),
      rounded(
        medianRatio(all, off, (one) => one.cpuUs),
        2,
      ),
      totalOf(all, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}

import { availableParallelism } from 'node:os'
import { BenchProcess } from '../bench-process.ts'
import type { Say } from '../part.ts'
import { onAnyCpu } from '../pinning.ts'
import { Crew, type CrewKind, nameOf } from './crew.ts'
import { type DistributionPlan, measureDistribution } from './distribution.ts'
import { measureThroughput, type ThroughputPlan } from './throughput.ts'

/** What to measure. */
export interface WorkersPlan {
  /** The first is what the others are compared with. */
  readonly workers: readonly [1, ...number[]]
  /** Bytes that the busy gateway hashes for each call. */
  readonly busyBytes: number
  readonly throughput: ThroughputPlan
  readonly distribution: DistributionPlan
}

const kinds: readonly CrewKind[] = ['gateway', 'busy gateway', 'undici']

/** Measures what a second worker is good for, with everybody on all CPUs, and how calls spread over the workers. */
export async function measureWorkers(plan: WorkersPlan, say: Say): Promise<void> {
  const { rounds, seconds } = plan.throughput
  say(
    `\n## Workers: ${rounds} interleaved rounds of ${seconds} s, nothing pinned, ${availableParallelism()} CPUs for all\n`,
  )
  await using opened = new AsyncDisposableStack()
  const upstream = opened.use(await BenchProcess.start('upstream.ts', onAnyCpu))
  const crews: Crew[] = []
  const notes: string[] = []
  for (const kind of kinds) {
    for (const workers of plan.workers) {
      const crew = await Crew.start({ kind, workers, upstreamUrl: upstream.url, busyBytes: plan.busyBytes })
      if (crew === undefined) notes.push(`${nameOf(kind, workers)} is left out: this gateway refuses so many workers`)
      else crews.push(opened.use(crew))
    }
  }
  say(await measureThroughput(crews, upstream.pid, plan.throughput))
  say(`\n### How calls spread over the workers\n`)
  const several = crews.filter((crew) => crew.workers > 1 && crew.kind !== 'busy gateway')
  say(await measureDistribution(several, upstream.pid, plan.distribution))
  for (const note of notes) say(`\n${note}`)
}

import { BenchProcess } from '../bench-process.ts'
import type { Contender } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import type { Say } from '../part.ts'
import { onContenderCpu, onLoadCpu } from '../pinning.ts'
import { measureWarmPath, type WarmPlan } from '../warm-path.ts'
import { measureSidecarMemory, type SidecarMemoryPlan } from './memory.ts'
import { ReportSink } from './report-sink.ts'
import { sidecarFlags, sidecarName } from './sidecar-name.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { measureStarts, type StartsPlan } from './starts.ts'

/** What to measure of the process beside an instance. */
export interface SidecarPlan {
  readonly starts: StartsPlan
  readonly memory: SidecarMemoryPlan
  readonly warm: WarmPlan
}

/** More than there are connections: what is measured is the keeping of the limit, not a queue. */
const limit = '100'

/** Measures what one sidecar costs: to start, to be there, and for each call. */
export async function measureSidecar({ starts, memory, warm }: SidecarPlan, say: Say): Promise<void> {
  {
    await using upstream = await BenchProcess.start('upstream.ts', onLoadCpu)
    say(`\n## Sidecar: ${starts.rounds} interleaved starts; Node flags: ${sidecarFlags.join(' ')}\n`)
    say(await measureStarts(starts, upstream.url))
    say(`\n### Memory of fresh processes, ${memory.rounds} interleaved rounds, medians\n`)
    say(await measureSidecarMemory(memory, upstream.url))
  }
  say(`\n### Calls: 940-byte answers, ${warm.rounds} interleaved rounds of ${warm.seconds} s, medians\n`)
  await measureCalls(warm, say)
}

async function measureCalls(plan: WarmPlan, say: Say): Promise<void> {
  await using lineUp = await LineUp.start({ names: [undiciName, 'http-proxy, bare', 'nginx', 'the upstream itself'] })
  await using sink = await ReportSink.start()
  const upstreamUrl = lineUp.upstream.url
  const gateways = [sink.url]
  const env = { max_inflight: limit }
  await using sidecar = await SidecarProcess.start({ upstreamUrl, gateways, launcher: onContenderCpu, env })
  await sidecar.ready()
  const own: Contender = { name: sidecarName, url: sidecar.url, pid: sidecar.pid }
  say(await measureWarmPath([own, ...lineUp.contenders], plan, sidecarName))
  for (const note of lineUp.notes) say(`\n${note}`)
}

import { pause } from '../../support/eventually.ts'
import { burst } from '../burst.ts'
import type { Contender } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import { onContenderCpu } from '../pinning.ts'
import { inTurns, medianOf, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { BareServer, bareServerName } from './bare-server.ts'
import { firstAnswer } from './first-answer.ts'
import { type MemoryShare, memoryShare } from './memory-maps.ts'
import { ReportSink } from './report-sink.ts'
import { sidecarFlags, sidecarName } from './sidecar-name.ts'
import { SidecarProcess } from './sidecar-process.ts'

/** What to measure. */
export interface SidecarMemoryPlan {
  readonly rounds: number
  /** Between the first answer of a fresh process and the look at its memory. */
  readonly idleMs: number
  readonly connections: number
  readonly seconds: number
}

interface Sample {
  readonly idle: MemoryShare
  readonly busy: MemoryShare
  readonly failures: number
}

/** A fresh process of one kind; what it needs besides goes with it. */
type Kind = { readonly name: string; readonly start: (opened: AsyncDisposableStack) => Promise<Contender> }

const path = '/function/echo'

/** Measures the memory of fresh processes: idle, and at the end of a burst. @param upstreamUrl what they are in front of */
export async function measureSidecarMemory(plan: SidecarMemoryPlan, upstreamUrl: string): Promise<string> {
  const kinds: readonly Kind[] = [
    { name: sidecarName, start: (opened) => startSidecar(upstreamUrl, opened) },
    { name: bareServerName, start: startBare },
    { name: undiciName, start: startUndici },
  ]
  const samples = await inTurns(kinds, plan.rounds, (kind) => sample(kind, plan))
  return report(samples, plan)
}

async function sample(kind: Kind, { idleMs, connections, seconds }: SidecarMemoryPlan): Promise<Sample> {
  await using opened = new AsyncDisposableStack()
  const contender = await kind.start(opened)
  await firstAnswer(contender.url)
  await pause(idleMs)
  const idle = memoryShare(contender.pid)
  const { failures } = await burst(contender, path, { connections, seconds })
  return { idle, busy: memoryShare(contender.pid), failures }
}

async function startSidecar(upstreamUrl: string, opened: AsyncDisposableStack): Promise<Contender> {
  const sink = opened.use(await ReportSink.start())
  const gateways = [sink.url]
  const env = { max_inflight: '100' }
  const sidecar = await SidecarProcess.start({ upstreamUrl, gateways, launcher: onContenderCpu, env })
  return { name: sidecarName, url: opened.use(sidecar).url, pid: sidecar.pid }
}

async function startBare(opened: AsyncDisposableStack): Promise<Contender> {
  const { url, pid } = opened.use(await BareServer.spawn(onContenderCpu, sidecarFlags))
  return { name: bareServerName, url, pid }
}

async function startUndici(opened: AsyncDisposableStack): Promise<Contender> {
  const lineUp = opened.use(await LineUp.start({ names: [undiciName] }))
  const [contender] = lineUp.contenders
  if (contender === undefined) throw new Error(`${undiciName} does not take part`)
  return contender
}

function report(samples: Samples<Sample>, { idleMs, connections }: SidecarMemoryPlan): string {
  const rows = [...samples].map(([name, all]): Row => {
    const middle = (pick: (one: Sample) => number): string => rounded(medianOf(all, pick))
    return [
      name,
      middle(({ idle }) => idle.residentMb),
      middle(({ idle }) => idle.proportionalMb),
      middle(({ idle }) => idle.privateMb),
      middle(({ busy }) => busy.residentMb),
      middle(({ busy }) => busy.proportionalMb),
      middle(({ busy }) => busy.privateMb),
      totalOf(all, (one) => one.failures),
    ]
  })
  const headings = [
    'process',
    `idle for ${idleMs / 1000} s: resident MB`,
    'PSS',
    'private',
    `${connections} connections: resident MB`,
    'PSS',
    'private',
    'failures',
  ]
  return table(headings, rows)
}

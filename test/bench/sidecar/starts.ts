import { onContenderCpu } from '../pinning.ts'
import { inTurns, medianOf, medianRatio, type Samples } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { BareServer, bareServerName } from './bare-server.ts'
import { firstAnswer } from './first-answer.ts'
import { ReportSink } from './report-sink.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { sidecarFlags, sidecarName } from './sidecar-name.ts'

/** How often to start. */
export interface StartsPlan {
  readonly rounds: number
}

/** Milliseconds from the begin of one start. NaN where there is no such thing. */
interface Start {
  readonly acceptedMs: number
  readonly answeredMs: number
  /** A gateway that it reports to has been told that it takes calls. */
  readonly announcedMs: number
}

type Starter = { readonly name: string; readonly start: () => Promise<Start> }

/** Starts that do not count: the first one compiles the sources, and leaves the result in Node's compile cache as it ends. */
const warmUps = 2

/** Measures from the start of a process to the first answer through it. @param upstreamUrl of the server behind the sidecar */
export async function measureStarts({ rounds }: StartsPlan, upstreamUrl: string): Promise<string> {
  for (let i = 0; i < warmUps; i += 1) await warmUp(upstreamUrl)
  const starters: readonly Starter[] = [
    { name: sidecarName, start: () => startSidecar(upstreamUrl) },
    { name: bareServerName, start: startBare },
  ]
  return report(await inTurns(starters, rounds, (one) => one.start()))
}

async function warmUp(upstreamUrl: string): Promise<void> {
  await using sidecar = await SidecarProcess.start({ upstreamUrl, launcher: onContenderCpu })
  await firstAnswer(sidecar.url)
  await sidecar.terminate()
}

async function startSidecar(upstreamUrl: string): Promise<Start> {
  await using sink = await ReportSink.start()
  const announced = sink.first(({ record }) => record.phase === 'ready')
  await using sidecar = await SidecarProcess.spawn({
    upstreamUrl,
    gateways: [sink.url],
    launcher: onContenderCpu,
    env: { max_inflight: '100' },
  })
  const { acceptedAtMs, answeredAtMs } = await firstAnswer(sidecar.url).catch((error: unknown) => {
    throw new Error(`the sidecar does not start:\n${sidecar.lines.join('\n')}`, { cause: error })
  })
  const announcedAtMs = (await announced).atMs
  const from = sidecar.spawnedAtMs
  return { acceptedMs: acceptedAtMs - from, answeredMs: answeredAtMs - from, announcedMs: announcedAtMs - from }
}

async function startBare(): Promise<Start> {
  await using server = await BareServer.spawn(onContenderCpu, sidecarFlags)
  const { acceptedAtMs, answeredAtMs } = await firstAnswer(server.url)
  const from = server.spawnedAtMs
  return { acceptedMs: acceptedAtMs - from, answeredMs: answeredAtMs - from, announcedMs: Number.NaN }
}

function report(samples: Samples<Start>): string {
  const bare = samples.get(bareServerName) ?? []
  const rows = [...samples].map(([name, all]): Row => {
    const middle = (pick: (one: Start) => number): string => rounded(medianOf(all, pick))
    const most = (pick: (one: Start) => number): string => rounded(Math.max(...all.map(pick)))
    return [
      name,
      all.length,
      middle((one) => one.acceptedMs),
      middle((one) => one.answeredMs),
      most((one) => one.answeredMs),
      rounded(
        medianRatio(all, bare, (one) => one.answeredMs),
        2,
      ),
      middle((one) => one.announcedMs),
      most((one) => one.announcedMs),
    ]
  })
  return table(headings, rows)
}

const headings = [
  'started',
  'starts',
  'accepts after ms: median',
  'first answer: median',
  'max',
  `its first answer / that of ${bareServerName}`,
  'announced as ready: median',
  'max',
]

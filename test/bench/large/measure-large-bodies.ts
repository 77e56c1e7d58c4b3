import { type Burst, burst } from '../burst.ts'
import { type Contender, gatewayName } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import type { LoadShape } from '../load.ts'
import type { Say } from '../part.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { forgetPeak, treePeakMb, treeResidentMb } from '../process-usage.ts'
import { transfer } from './transfer.ts'

/** What to measure. */
export interface LargePlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly bytes: number
  readonly huge: HugePlan
}

/** Bodies that no buffer should hold. */
export interface HugePlan {
  readonly rounds: number
  readonly bytes: number
  /** Transfers at a time. */
  readonly atATime: number
  /** Rest of the slow reader after each MiB. */
  readonly restMs: number
}

const mebibyte = 1024 * 1024

/** Passes large answers and uploads through all contenders: what a call costs, and how much memory bodies take. */
export async function measureLargeBodies(plan: LargePlan, say: Say): Promise<void> {
  const { rounds, seconds, connections, bytes, huge } = plan
  say(
    `\n## Large bodies: ${bytes / mebibyte} MiB, ${connections} connections, ${rounds} interleaved rounds of ${seconds} s\n`,
  )
  const names = [gatewayName, 'http-proxy, bare', undiciName, 'nginx', 'haproxy', 'the upstream itself'] as const
  await using lineUp = await LineUp.start({ names, upstream: 'large/body-upstream.ts' })
  const shape = { connections, seconds }
  // So few large bodies pass in a second that the code for a call would not be compiled in time.
  for (const one of lineUp.contenders) await burst(one, '/function/large?1000', shape)
  const answers = (one: Contender): Promise<Burst> => burst(one, `/function/large?${bytes}`, shape)
  const uploads = (one: Contender): Promise<Burst> => burst(one, '/function/large', uploading(shape, bytes))
  for (const [title, sample] of [
    ['Answers', answers],
    ['Uploads', uploads],
  ] as const) {
    for (const one of lineUp.contenders) await sample(one)
    say(`### ${title}\n\n${report(await inTurns(lineUp.contenders, rounds, sample), bytes)}\n`)
  }
  say(
    `### ${huge.bytes / mebibyte} MiB, ${huge.atATime} at a time: peak of resident memory, medians of ${huge.rounds}\n`,
  )
  const proxies = lineUp.contenders.filter(({ pid }) => pid !== lineUp.upstream.pid)
  say(hugeReport(await inTurns(proxies, huge.rounds, (one) => hugeSample(one, huge)), huge))
  for (const note of lineUp.notes) say(`\n${note}`)
}

function uploading(shape: LoadShape, bodyBytes: number): LoadShape {
  return { ...shape, bodyBytes }
}

const headings = [
  'contender',
  'CPU us/request',
  'MiB/s per core',
  'measured MiB/s',
  'resident MB',
  `${gatewayName} CPU / its CPU`,
  'failures',
]

function report(samples: Samples<Burst>, bytes: number): string {
  const own = samples.get(gatewayName) ?? []
  const rows = [...samples].map(([name, bursts]): Row => {
    const cpuUs = medianOf(bursts, (one) => one.cpuUs)
    const size = bytes / mebibyte
    return [
      name,
      rounded(cpuUs, 0),
      rounded((size * 1_000_000) / cpuUs, 0),
      rounded(size * medianOf(bursts, (one) => one.perSecond), 0),
      rounded(
        medianOf(bursts, (one) => one.residentMb),
        0,
      ),
      rounded(
        medianRatio(own, bursts, (one) => one.cpuUs),
        2,
      ),
      totalOf(bursts, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}

/** Megabytes, and milliseconds of the slowest transfer. */
interface Peak {
  readonly addedMb: number
  readonly tookMs: number
}

interface HugeSample {
  readonly beforeMb: number
  readonly answer: Peak
  readonly upload: Peak
  readonly slowAnswer: Peak
}

async function hugeSample({ url, pid }: Contender, { bytes, atATime, restMs }: HugePlan): Promise<HugeSample> {
  const beforeMb = treeResidentMb(pid)
  const peak = async (direction: 'answer' | 'upload', rest: number): Promise<Peak> => {
    forgetPeak(pid)
    const before = treeResidentMb(pid)
    const all = Array.from({ length: atATime }, () => transfer({ url, direction, bytes, restMs: rest }))
    const tookMs = Math.max(...(await Promise.all(all)))
    return { addedMb: treePeakMb(pid) - before, tookMs }
  }
  const answer = await peak('answer', 0)
  const upload = await peak('upload', 0)
  return { beforeMb, answer, upload, slowAnswer: await peak('answer', restMs) }
}

function hugeReport(samples: Samples<HugeSample>, { bytes, atATime, restMs }: HugePlan): string {
  const total = (bytes * atATime) / mebibyte
  const rows = [...samples].map(([name, all]): Row => {
    const speed = (pick: (one: HugeSample) => Peak): string =>
      rounded(
        medianOf(all, (one) => (total * 1000) / pick(one).tookMs),
        0,
      )
    const added = (pick: (one: HugeSample) => Peak): string => rounded(medianOf(all, (one) => pick(one).addedMb))
    return [
      name,
      rounded(
        medianOf(all, (one) => one.beforeMb),
        0,
      ),
      added((one) => one.answer),
      speed((one) => one.answer),
      added((one) => one.upload),
      speed((one) => one.upload),
      added((one) => one.slowAnswer),
      speed((one) => one.slowAnswer),
    ]
  })
  const slow = `to a reader that rests ${restMs} ms after each MiB: peak MB added`
  const fast = ['answers: peak MB added', 'MiB/s', 'uploads: peak MB added', 'MiB/s']
  return table(['contender', 'resident MB before', ...fast, slow, 'MiB/s'], rows)
}

import { pause } from '../../support/eventually.ts'
import { burst } from '../burst.ts'
import { gatewayName } from '../contender.ts'
import { type ContenderName, LineUp } from '../line-up.ts'
import { treeFilePagesMb, treeResidentMb } from '../process-usage.ts'
import { medianOf, medianRatio, inTurns, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { IdleClientsProcess } from './idle-clients-process.ts'

/** What to measure. */
export interface MemoryPlan {
  readonly rounds: number
  readonly seconds: number
  readonly busy: number
  readonly idle: number
}

/** Megabytes of one process, from its start on. */
interface Sample {
  readonly freshMb: number
  readonly busyMb: number
  /** The part of `busyMb` that other processes of the same program share. */
  readonly programMb: number
  readonly idleMb: number
  readonly open: number
  readonly failures: number
}

/** Between the last call of the idle clients and the look at the memory. */
const settleMs = 1_000

/** Measures the resident memory of fresh contenders: after their start, with busy connections, and with many idle ones. */
export async function measureMemory(names: readonly ContenderName[], plan: MemoryPlan): Promise<string> {
  const candidates = names.map((name) => ({ name }))
  const samples = await inTurns(candidates, plan.rounds, ({ name }) => sample(name, plan))
  return report(samples, plan)
}

/** @returns undefined for a contender that is not installed */
async function sample(name: ContenderName, { busy, idle, seconds }: MemoryPlan): Promise<Sample | undefined> {
  await using lineUp = await LineUp.start({ names: [name] })
  const [contender] = lineUp.contenders
  if (contender === undefined) return undefined
  const url = `${contender.url}/function/echo`
  await (await fetch(url, { headers: { connection: 'close' } })).arrayBuffer()
  const freshMb = treeResidentMb(contender.pid)
  const { residentMb: busyMb } = await burst(contender, '/function/echo', { connections: busy, seconds })
  const programMb = treeFilePagesMb(contender.pid)
  await using clients = await IdleClientsProcess.start(url, idle)
  await pause(settleMs)
  const idleMb = treeResidentMb(contender.pid)
  return { freshMb, busyMb, programMb, idleMb, ...(await clients.count()) }
}

function report(samples: Samples<Sample | undefined>, { busy, idle }: MemoryPlan): string {
  const present = new Map([...samples].map(([name, all]) => [name, all.filter((one) => one !== undefined)]))
  const own = present.get(gatewayName) ?? []
  const rows = [...present].flatMap(([name, all]): Row[] => {
    const whole = (pick: (one: Sample) => number): string => rounded(medianOf(all, pick), 0)
    const row = [
      name,
      whole((one) => one.freshMb),
      whole((one) => one.busyMb),
      whole((one) => one.programMb),
      whole((one) => one.idleMb),
      rounded(medianOf(all, (one) => ((one.idleMb - one.busyMb) * 1024) / one.open)),
      rounded(
        medianRatio(own, all, (one) => one.idleMb),
        2,
      ),
      Math.min(...all.map((one) => one.open)),
      totalOf(all, (one) => one.failures),
    ]
    return all.length === 0 ? [] : [row]
  })
  return table(
    [
      'contender',
      'resident MB: fresh',
      `${busy} busy`,
      'of that the program',
      `then ${idle} idle`,
      'kB for each idle one',
      `${gatewayName} / its MB`,
      'still open',
      'failures',
    ],
    rows,
  )
}

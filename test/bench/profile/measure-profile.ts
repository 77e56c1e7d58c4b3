import { burst } from '../burst.ts'
import { gatewayName } from '../contender.ts'
import { LineUp } from '../line-up.ts'
import type { Say } from '../part.ts'
import { Probes } from '../probe/probes.ts'
import { cpuTime } from '../process-usage.ts'
import { type Row, rounded, table } from '../table.ts'
import { type CpuProfile, type HeapProfile, type Share, summarizeCpu, summarizeHeap } from './summary.ts'

/** How long to look. */
export interface ProfilePlan {
  readonly seconds: number
  readonly connections: number
  /** Single functions that are listed. */
  readonly functions: number
}

const path = '/function/echo'

/** Says where the gateway spends CPU time and allocates memory while all connections are busy. */
export async function measureProfile(plan: ProfilePlan, say: Say): Promise<void> {
  const { seconds, connections, functions } = plan
  say(`\n## Profile of the gateway: ${connections} connections, ${seconds} s each\n`)
  using probes = new Probes()
  await using lineUp = await LineUp.start({
    names: [gatewayName],
    nodeOptionsOf: (name) => probes.optionsFor(name),
  })
  const { url, pid } = lineUp.gateway
  const load = (): Promise<{ requests: number; failures: number; cpuUs: number }> =>
    burst({ name: gatewayName, url, pid }, path, { connections, seconds })
  await load()

  await probes.ask(gatewayName, 'start-cpu')
  const before = cpuTime(pid)
  const { requests, failures, cpuUs } = await load()
  const after = cpuTime(pid)
  const cpu = summarizeCpu((await probes.ask(gatewayName, 'stop-cpu')) as CpuProfile) // what V8 answers
  const [user, system] = [after.user - before.user, after.system - before.system]
  say(
    `### CPU: ${rounded(cpuUs)} us a request with the profiler on, ${rounded((100 * system) / (user + system), 0)} % of it in the kernel (all threads); ${requests} requests, ${failures} failures\n`,
  )
  say(shares('group', cpu.groups, { requests, unit: 'us' }))
  say(`\n${shares('function', cpu.functions.slice(0, functions), { requests, unit: 'us', whole: cpu.groups })}\n`)

  await probes.ask(gatewayName, 'start-heap')
  const allocating = await load()
  const heap = summarizeHeap((await probes.ask(gatewayName, 'stop-heap')) as HeapProfile) // what V8 answers
  const options = { requests: allocating.requests, unit: 'bytes', whole: heap.groups }
  say(`### Allocation: ${allocating.requests} requests, ${allocating.failures} failures\n`)
  say(shares('group', heap.groups, options))
  say(`\n${shares('function', heap.functions.slice(0, functions), options)}`)
}

interface ShareOptions {
  readonly requests: number
  readonly unit: string
  /** What percentages are of; default: the shares themselves. */
  readonly whole?: readonly Share[]
}

function shares(kind: string, all: readonly Share[], { requests, unit, whole = all }: ShareOptions): string {
  const total = whole.reduce((sum, { amount }) => sum + amount, 0)
  const row = ({ name, amount }: Share): Row => [name, rounded((100 * amount) / total), rounded(amount / requests, 2)]
  return table([kind, '%', `${unit}/request`], all.map(row))
}

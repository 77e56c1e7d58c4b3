import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onContenderCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'
import { type Row, rounded, table } from '../table.ts'
import type { DirectoryCase, DirectoryCost } from './directory-case.ts'

/** How many instances to take, and how often. */
export interface DirectoryPlan {
  readonly cases: readonly Omit<DirectoryCase, 'rounds'>[]
  readonly rounds: number
}

const run = promisify(execFile)
const script = fileURLToPath(new URL('directory-cost.ts', import.meta.url))

/** Measures memory and time of the directory of one gateway, each case in a process of its own. */
export async function measureDirectory({ cases, rounds }: DirectoryPlan): Promise<string> {
  const rows: Row[] = []
  for (const one of cases) rows.push(row(one, await costOf({ ...one, rounds })))
  return table(headings, rows)
}

async function costOf(one: DirectoryCase): Promise<DirectoryCost> {
  const flags = [...startFlags, '--expose-gc']
  const [file = '', ...args] = [...onContenderCpu, process.execPath, ...flags, script, JSON.stringify(one)]
  const { stdout } = await run(file, args)
  return JSON.parse(stdout) as DirectoryCost // what directory-cost.ts prints
}

const headings = [
  'instances, of each function',
  'bytes/instance',
  'first report, us',
  'heartbeat, us',
  'change, us',
  'of each: reading and signature, us',
]

function row({ instances, perFunction }: DirectoryPlan['cases'][number], cost: DirectoryCost): Row {
  const { first, heartbeat, change } = cost.us
  const microseconds = [first, heartbeat, change, cost.verifyUs].map((one) => rounded(one))
  return [`${instances}, ${perFunction}`, rounded(cost.bytesPerInstance, 0), ...microseconds]
}

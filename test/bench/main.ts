/** `npm run bench`: prints what test/bench/README.md explains, writes nothing else. */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { loadGenerator } from './load.ts'
import { type Part, PartLeftOut } from './part.ts'
import { parts } from './parts.ts'
import { pinningNote } from './pinning.ts'
import { fullPlans, quickPlans } from './plans.ts'
import { startFlags } from './start-flags.ts'

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function partsToRun(only: string | undefined): readonly Part[] {
  if (only === undefined) return parts.filter((part) => part.isUsual)
  const wanted = only.split(',')
  const unknown = wanted.filter((name) => !parts.some((part) => part.name === name))
  if (unknown.length === 0) return parts.filter((part) => wanted.includes(part.name))
  say(
    `--only takes ${parts.map((part) => part.name).join(', ')}, with commas between several; not ${unknown.join(', ')}`,
  )
  process.exit(1)
}

async function run(part: Part): Promise<void> {
  try {
    await part.run(flags.quick ? quickPlans : fullPlans, say)
  } catch (error) {
    if (!(error instanceof PartLeftOut)) throw error
    say(`left out: ${error.message}`)
    // A failure only for who asked for it.
    if (flags.only !== undefined) process.exitCode = 1
  }
}

// Exits by way of 'exit' handlers, so that no contender outlives an interrupted run.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const wanted = partsToRun(flags.only)
say(
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}; ${pinningNote}; ${loadGenerator}; Node flags: ${startFlags.join(' ') || 'none'}`,
)
const [load = 0] = loadavg()
if (load > 0.5)
  say(`warning: the machine is busy (load average ${load.toFixed(2)}): trust the ratios only, and run again`)
for (const part of wanted) await run(part)

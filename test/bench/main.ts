/** `npm run bench`: prints what test/bench/README.md explains, writes nothing else. */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { BenchProcess } from './bench-process.ts'
import { measureColdStarts } from './cold-start.ts'
import { fieldNote, measureField } from './fleet/field.ts'
import { hasRedis, measureFleet, sharingNote } from './fleet/measure-fleet.ts'
import { loadGenerator } from './load.ts'
import { onContenderCpu, onLoadCpu, pinningNote, pinThisProcess, unpinThisProcess } from './pinning.ts'
import { fullPlans, quickPlans } from './plans.ts'
import { startFlags } from './start-flags.ts'
import { type Contender, gatewayName, measureWarmPath } from './warm-path.ts'

/** The parts; `field` is left out of a whole run, it takes minutes of full load. */
const parts = ['warm', 'cold', 'fleet', 'field'] as const
type Part = (typeof parts)[number]

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})

const plans = flags.quick ? quickPlans : fullPlans

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function partsToRun(only: string | undefined): readonly Part[] {
  if (only === undefined) return ['warm', 'cold', 'fleet']
  const part = parts.find((name) => name === only)
  if (part !== undefined) return [part]
  say(`--only takes ${parts.join(', ')}; not ${only}`)
  process.exit(1)
}

async function warmPath(): Promise<void> {
  pinThisProcess()
  say(`\n## Warm path: 940-byte answers, ${plans.warm.rounds} interleaved rounds of ${plans.warm.seconds} s, medians\n`)
  await using upstream = await BenchProcess.start('upstream.ts', onLoadCpu)
  const behind = { UPSTREAM_URL: upstream.url }
  await using httpProxy = await BenchProcess.start('contender-http-proxy.ts', onContenderCpu, behind)
  await using undici = await BenchProcess.start('contender-undici.ts', onContenderCpu, behind)
  await using gateway = await startGatewayProcess({
    env: { functions_provider_url: upstream.url },
    launcher: onContenderCpu,
    nodeFlags: startFlags,
  })
  const contenders: readonly Contender[] = [
    { name: gatewayName, url: gateway.url, pid: gateway.pid },
    { name: 'http-proxy, bare', url: httpProxy.url, pid: httpProxy.pid },
    { name: 'undici dispatch, bare', url: undici.url, pid: undici.pid },
    { name: 'the upstream itself', url: upstream.url, pid: upstream.pid },
  ]
  say(await measureWarmPath(contenders, plans.warm))
}

async function coldStarts(): Promise<void> {
  pinThisProcess()
  say(`\n## Cold start: ${plans.cold.callers} callers at zero, ${plans.cold.rounds} interleaved rounds\n`)
  say(await measureColdStarts(plans.cold))
}

/** Says why not when there is no Redis; that is a failure when nothing else was asked for. */
async function withRedis(measure: () => Promise<void>): Promise<void> {
  unpinThisProcess()
  if (hasRedis()) return measure()
  say('left out: redis-server is not installed (Debian package redis-server)')
  if (flags.only !== undefined) process.exitCode = 1
}

const runs: Readonly<Record<Part, () => Promise<void>>> = {
  warm: warmPath,
  cold: coldStarts,
  fleet: () => {
    say(`\n## Fleet: ${plans.fleet.cold.gateways} gateways share a Redis; ${sharingNote}\n`)
    return withRedis(() => measureFleet(plans.fleet, say))
  },
  field: () => {
    const { connections, seconds, readyAfterMs } = plans.field
    const load = `${connections} connections for ${seconds} s to a function at zero, ready after ${readyAfterMs} ms`
    say(`\n## Field: ${load}; ${fieldNote}; ${sharingNote}\n`)
    return withRedis(async () => say(await measureField(plans.field)))
  },
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
for (const part of wanted) await runs[part]()

/** `npm run bench`: prints what test/bench/README.md explains, writes nothing else. */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { BenchProcess } from './bench-process.ts'
import { type ColdPlan, measureColdStarts } from './cold-start.ts'
import { loadGenerator } from './load.ts'
import { onContenderCpu, onLoadCpu, pinningNote, pinThisProcess } from './pinning.ts'
import { startFlags } from './start-flags.ts'
import { type Contender, gatewayName, measureWarmPath, type WarmPlan } from './warm-path.ts'

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
})

const warmPlan: WarmPlan = flags.quick
  ? { rounds: 2, seconds: 1, connections: [50] }
  : { rounds: 7, seconds: 2, connections: [1, 50, 300] }

const coldPlan: ColdPlan = flags.quick
  ? { rounds: 2, callers: 300, readyAfterMs: [5, 50] }
  : { rounds: 10, callers: 300, readyAfterMs: [5, 50, 500] }

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function warmPath(): Promise<string> {
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
  return await measureWarmPath(contenders, warmPlan) // awaited here: leaving the function stops the contenders
}

// Exits by way of 'exit' handlers, so that no contender outlives an interrupted run.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

pinThisProcess()
say(
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}; ${pinningNote}; ${loadGenerator}; Node flags: ${startFlags.join(' ') || 'none'}`,
)
const [load = 0] = loadavg()
if (load > 0.5)
  say(`warning: the machine is busy (load average ${load.toFixed(2)}): trust the ratios only, and run again`)

if (flags.only !== 'cold') {
  say(`\n## Warm path: 940-byte answers, ${warmPlan.rounds} interleaved rounds of ${warmPlan.seconds} s, medians\n`)
  say(await warmPath())
}
if (flags.only !== 'warm') {
  say(`\n## Cold start: ${coldPlan.callers} callers at zero, ${coldPlan.rounds} interleaved rounds\n`)
  say(await measureColdStarts(coldPlan))
}

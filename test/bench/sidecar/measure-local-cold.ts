import { eventually, pause } from '../../support/eventually.ts'
import type { GatewayProcess } from '../../support/gateway-process.ts'
import { machineMs } from '../../support/machine-clock.ts'
import { OwnFolder } from '../own-folder.ts'
import type { Say } from '../part.ts'
import { processTree } from '../process-usage.ts'
import { median, percentile } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { type ColdSplit, coldShares, coldSteps, splitOf } from './cold-steps.ts'
import { ask } from './first-answer.ts'
import { stampsOf } from './stamps.ts'
import { startWitnessedGateway } from './witnessed-gateway.ts'

/** What to measure. */
export interface LocalColdPlan {
  readonly rounds: number
}

/** One call. Milliseconds from the call to the first byte of its answer. */
interface Call {
  readonly tookMs: number
  /** Nothing for a call of a function that runs. */
  readonly split: ColdSplit | undefined
}

const witness = new URL('provider-witness.ts', import.meta.url).href
const service = 'shell'
const path = `/function/${service}`
const command = 'sh -c cat'
/** Cold starts that do not count: the first one compiles the sources of the sidecar for Node's compile cache. */
const warmUps = 3
/** Between the end of the last process and the next call. */
const restMs = 300
const patienceMs = 15_000
const linesMs = 20

/** Calls a shell function of the embedded provider at zero, again and again, and says where the time goes. */
export async function measureLocalCold({ rounds }: LocalColdPlan, say: Say): Promise<void> {
  say(`\n## Local provider: \`${command}\`, a fork per call, at zero; ${rounds} rounds\n`)
  using state = new OwnFolder('local-cold')
  await using gateway = await startWitnessedGateway({
    embeddedProvider: true,
    env: {},
    nodeFlags: ['--import', witness],
    pluginOptions: { 'local-provider': { stateDirectory: state.path } },
  })
  await post(`${gateway.url}/system/functions`, {
    service,
    image: 'ghcr.io/openfaas/alpine:latest',
    envProcess: command,
  })
  await eventually('the function to answer', async () => (await ask(gateway.url, path)).answeredAtMs > 0, patienceMs)
  const cold: Call[] = []
  const warm: Call[] = []
  for (let round = -warmUps; round < rounds; round += 1) {
    await toZero(gateway)
    const [first, second] = [await coldCall(gateway), await warmCall(gateway)]
    if (round < 0) continue
    cold.push(first)
    warm.push(second)
  }
  say(report(cold, warm))
  say(`\n${splitTable(cold.flatMap(({ split }) => (split === undefined ? [] : [split])))}`)
}

/** Resolves when the function has no process left. */
async function toZero({ url, pid }: GatewayProcess): Promise<void> {
  await post(`${url}/system/scale-function/${service}`, { serviceName: service, replicas: 0 })
  await eventually('the function to be at zero', () => processTree(pid).length === 1, patienceMs)
  await pause(restMs)
}

async function coldCall(gateway: GatewayProcess): Promise<Call> {
  gateway.logs.length = 0
  const sentAtMs = machineMs()
  const { answeredAtMs } = await ask(gateway.url, path)
  if (answeredAtMs === 0) throw new Error(`the cold call was not answered 200:\n${gateway.output.slice(-4_000)}`)
  // Lines of the gateway may be on their way still.
  await pause(linesMs)
  return { tookMs: answeredAtMs - sentAtMs, split: splitOf({ sentAtMs, answeredAtMs }, stampsOf(gateway.logs)) }
}

async function warmCall(gateway: GatewayProcess): Promise<Call> {
  const sentAtMs = machineMs()
  const { answeredAtMs } = await ask(gateway.url, path)
  return { tookMs: answeredAtMs - sentAtMs, split: undefined }
}

async function post(url: string, body: object): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { connection: 'close' }, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`POST ${new URL(url).pathname} was answered ${answer.status}: ${text}`)
}

function report(cold: readonly Call[], warm: readonly Call[]): string {
  const row = (name: string, calls: readonly Call[]): Row => {
    const took = calls.map((one) => one.tookMs)
    return [name, calls.length, ...[median(took), percentile(took, 0.95), Math.max(...took)].map((ms) => rounded(ms))]
  }
  const headings = ['function', 'calls', 'first byte after ms: median', 'p95', 'max']
  return table(headings, [row('at zero', cold), row('already running', warm)])
}

function splitTable(splits: readonly ColdSplit[]): string {
  const rows = coldShares(splits).map(({ step, medianMs, maxMs, shareRatio }): Row => {
    return [coldSteps[step], rounded(medianMs), rounded(maxMs), rounded(100 * shareRatio, 0)]
  })
  return table(['step', 'ms: median', 'max', 'share, %'], rows)
}

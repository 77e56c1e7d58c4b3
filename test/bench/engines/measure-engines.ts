import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import type { Contender } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import type { Say } from '../part.ts'
import { onContenderCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'
import { measureWarmPath, type WarmPlan } from '../warm-path.ts'

/** What forwards plain requests; the setting `engine`. Those that a gateway does not know are left out. */
const engines = ['undici', 'http-proxy', 'h1'] as const

/** The engine that the others are compared with. */
const baseName = nameOf('undici')

/** Measures the warm path of each engine of the gateway, beside bare contenders and the least that Node can do. */
export async function measureEngines(plan: WarmPlan, say: Say): Promise<void> {
  say(`\n## Engines: warm path, ${plan.rounds} interleaved rounds of ${plan.seconds} s, medians\n`)
  await using opened = new AsyncDisposableStack()
  const names = ['http-proxy, bare', undiciName, 'raw sockets', 'the upstream itself'] as const
  const lineUp = opened.use(await LineUp.start({ names }))
  const gateways: Contender[] = []
  const notes: string[] = []
  for (const engine of engines) {
    const gateway = await startWith(engine, lineUp.upstream.url)
    if (gateway === undefined) notes.push(`${nameOf(engine)} is left out: this gateway does not know that engine`)
    else gateways.push({ name: nameOf(engine), url: opened.use(gateway).url, pid: gateway.pid })
  }
  say(await measureWarmPath([...gateways, ...lineUp.contenders], plan, baseName))
  for (const note of [...notes, ...lineUp.notes]) say(`\n${note}`)
}

function nameOf(engine: string): string {
  return `pilotlight, ${engine}`
}

/** @returns undefined when the gateway refuses the engine */
async function startWith(engine: string, upstreamUrl: string): Promise<GatewayProcess | undefined> {
  try {
    return await startGatewayProcess({
      env: { functions_provider_url: upstreamUrl, PILOTLIGHT_ENGINE: engine },
      launcher: onContenderCpu,
      nodeFlags: startFlags,
    })
  } catch (error) {
    if (error instanceof Error && error.message.includes('PILOTLIGHT_ENGINE')) return undefined
    throw error
  }
}

import { Agent } from 'node:http'
import { pause } from './eventually.ts'
import type { GatewayProcess } from './gateway-process.ts'
import type { Ending, SoakKind, SoakStage } from './soak-kind.ts'
import { coldKinds } from './soak-kinds-cold.ts'
import { leavingKinds } from './soak-kinds-leaving.ts'
import { failingKinds, plainKinds, systemKinds } from './soak-kinds-plain.ts'
import { streamKinds } from './soak-kinds-streams.ts'
import type { SoakProvider } from './soak-provider.ts'
import type { SoakTally } from './soak-tally.ts'

/** Every kind of callers. */
export const allKinds: readonly SoakKind[] = [
  ...plainKinds,
  ...failingKinds,
  ...systemKinds,
  ...streamKinds,
  ...leavingKinds,
  ...coldKinds,
]

/** An act that takes longer has been forgotten. No performance figure: the slowest act takes a second. */
const patienceMs = 30_000

/** What load is made of. */
export interface SoakLoadSettings {
  readonly gateway: GatewayProcess
  readonly provider: SoakProvider
  readonly tally: SoakTally
  readonly kinds: readonly SoakKind[]
}

/** Callers of all kinds at a gateway, until they are stopped. */
export class SoakLoad {
  readonly #stage: SoakStage
  readonly #tally: SoakTally
  readonly #callers: readonly Promise<void>[]
  #isStopped = false

  constructor({ gateway, provider, tally, kinds }: SoakLoadSettings) {
    const agent = new Agent({ keepAlive: true })
    this.#stage = { url: gateway.url, metricsUrl: gateway.metricsUrl, agent, provider }
    this.#tally = tally
    this.#callers = kinds.flatMap((kind) =>
      Array.from({ length: kind.callers }, (_, caller) => this.#run(kind, caller)),
    )
  }

  /** Resolves when every act has ended, with all connections closed. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#callers)
    this.#stage.agent.destroy()
  }

  async #run(kind: SoakKind, caller: number): Promise<void> {
    while (!this.#isStopped) {
      const end = this.#tally.begin(kind.name)
      end(await withPatience(kind.act(this.#stage, caller).catch(failure)))
      await pause(kind.thinkMs)
    }
  }
}

function failure(error: unknown): Ending {
  return { wrong: String(error) }
}

async function withPatience(act: Promise<Ending>): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>()
  const timer = setTimeout(() => resolve({ wrong: `did not end within ${patienceMs} ms` }), patienceMs)
  try {
    return await Promise.race([act, promise])
  } finally {
    clearTimeout(timer)
  }
}

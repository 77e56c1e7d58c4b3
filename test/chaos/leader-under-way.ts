import type { ClusterGateway } from '../../deploy/cluster/cluster.ts'
import type { CallRecord } from '../support/chaos-call.ts'
import type { HeldCall } from '../support/chaos-gate.ts'
import type { ChaosRun } from '../support/chaos-run.ts'
import { eventually } from '../support/eventually.ts'

/** What the leader of a wake is doing: its call to the provider is held there. */
export type Moment = 'asks for the first status' | 'asks for replicas' | 'waits for readiness'

/** The leader of a wake, stopped in the middle of a call to the provider. */
export interface LeaderUnderWay {
  /** The function. */
  readonly name: string
  readonly leader: ClusterGateway
  readonly held: HeldCall
  /** Resolves when all callers of the function have their answers. */
  readonly answers: Promise<readonly CallRecord[]>
}

/** Longer than a lease lives: it is not ready before somebody has taken over. */
export const slowMs = 2_500

/** Has a function called everywhere, and resolves when the gateway that leads its wake has come to a moment. */
export async function leaderWho(
  moment: Moment,
  { fleet, load }: ChaosRun,
  readyAfterMs = moment === 'waits for readiness' ? slowMs : 300,
): Promise<LeaderUnderWay> {
  const name = load.deployCold(readyAfterMs)
  const kind = moment === 'asks for replicas' ? 'scale' : 'status'
  const early = moment === 'waits for readiness' ? undefined : fleet.gate.holdNext(kind, name)
  const answers = load.callEverywhere(name)
  if (early === undefined) await eventually('it to be scaled', () => fleet.provider.scales.of(name).length === 1)
  const held = early ?? fleet.gate.holdNext(kind, name)
  return { name, held, answers, leader: await fleet.senderOf(await held.arrived) }
}

import type { IncomingMessage } from 'node:http'
import { machineMs } from './machine-clock.ts'
import type { ScriptedFunction } from './scripted-function.ts'

/** One scale call that a provider has taken, and what it did with it. */
export interface ScaleDecision {
  readonly name: string
  /** Undefined when the call had none. */
  readonly fence: number | undefined
  readonly replicas: number
  /** Instant of the machine's clock. */
  readonly atMs: number
  /** False when its fence was older than one that the function had seen. */
  readonly isAccepted: boolean
  /** Whether the wanted replicas became others by it. */
  readonly isEffective: boolean
}

/** Decides on scale calls in the order in which they come, and remembers all of them, also over an outage of the provider. */
export class ScaleDecisions {
  /** Whether calls with an older fence than the function's newest are refused, as `X-Pilotlight-Fence` asks for. */
  refusesOlderFences = false
  readonly all: ScaleDecision[] = []
  readonly #newest = new Map<string, number>()

  /** The decisions about one function. */
  of(name: string): readonly ScaleDecision[] {
    return this.all.filter((one) => one.name === name)
  }

  /** @returns undefined when the call was accepted, else the newer fence for which it was refused */
  decide(found: ScriptedFunction, wish: { replicas: number; fence: number | undefined }): number | undefined {
    const newest = this.#newest.get(found.name) ?? 0
    const isAccepted = !this.refusesOlderFences || wish.fence === undefined || wish.fence >= newest
    const isEffective = isAccepted && found.desired !== wish.replicas
    this.all.push({ name: found.name, ...wish, atMs: machineMs(), isAccepted, isEffective })
    if (!isAccepted) return newest
    this.#newest.set(found.name, Math.max(newest, wish.fence ?? 0))
    found.scaleTo(wish.replicas)
    return undefined
  }
}

/** The fencing token of a scale call. */
export function fenceOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['x-pilotlight-fence']
  return text === undefined ? undefined : Number(text)
}

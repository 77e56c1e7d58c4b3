import { machineMs } from '../support/machine-clock.ts'
import type { BareAnswer, BareCallers } from './bare-callers.ts'
import { type CallCounts, callsBetween, type ColdProviderProcess } from './cold-provider-process.ts'
import type { ColdScript } from './cold-function.ts'

/** Cold starts and bursts before those that count: the first ones of a process wait for its code to be compiled. */
export const warmUps = 5

/** One cold start, or one burst on a function that is ready. */
export interface ColdStart {
  /** For each caller: from the function's readiness to the first byte of the answer, in milliseconds. */
  readonly addedMs: readonly number[]
  readonly failures: number
  readonly calls: CallCounts
}

/** Whose functions are called, and who calls. */
export interface ColdTarget {
  readonly provider: ColdProviderProcess
  readonly callers: BareCallers
}

/** Has all callers call a new function at zero at once; they are served when it is ready. */
export async function coldStart(
  { provider, callers }: ColdTarget,
  script: Omit<ColdScript, 'replicas'>,
): Promise<ColdStart> {
  const { name } = script
  await provider.add({ ...script, replicas: 0 })
  const before = await provider.counts()
  await callers.connect()
  const answers = await callers.call(`/function/${name}`)
  const after = await provider.counts()
  const readyAtMs = await provider.readyAtMs(name)
  await provider.remove(name)
  return toColdStart(answers, { fromMs: readyAtMs, calls: callsBetween(before, after) })
}

/**
 * The same callers at once to a function that is ready, measured from the moment they begin to call: what so many calls take
 * of themselves on this machine.
 */
export async function bursts(target: ColdTarget, rounds: number): Promise<ColdStart[]> {
  await target.provider.add({ name: 'warm', replicas: 1, readyAfterMs: 0 })
  const all: ColdStart[] = []
  for (let round = 0; round < warmUps + rounds; round += 1) all.push(await burst(target))
  await target.provider.remove('warm')
  return all.slice(warmUps)
}

async function burst({ provider, callers }: ColdTarget): Promise<ColdStart> {
  const before = await provider.counts()
  await callers.connect()
  const fromMs = machineMs()
  const answers = await callers.call('/function/warm')
  return toColdStart(answers, { fromMs, calls: callsBetween(before, await provider.counts()) })
}

function toColdStart(
  answers: readonly BareAnswer[],
  { fromMs, calls }: { fromMs: number; calls: CallCounts },
): ColdStart {
  return {
    addedMs: answers.filter((one) => one.isWhole).map((one) => one.firstByteMs - fromMs),
    failures: answers.filter((one) => !one.isWhole).length,
    calls,
  }
}

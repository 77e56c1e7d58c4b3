import type { ChaosRun } from '../support/chaos-run.ts'
import { eventually, pause } from '../support/eventually.ts'
import type { FaultMode } from '../support/fault-proxy.ts'
import { leaderWho, type Moment } from './leader-under-way.ts'

/** A number from 0 to 1, 1 excluded. */
export type Dice = () => number

/** One fault of a random sequence: what it is, and the work of injecting it and taking it back. */
export interface Step {
  readonly title: string
  inject(run: ChaosRun): Promise<void>
}

/** The same numbers for the same seed. @see mulberry32, a generator of 32 bits of state in the public domain */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Chooses the faults of a sequence: each kind once before any comes again. */
export function planOf(seed: number, count: number): readonly Step[] {
  const dice = diceOf(seed)
  const steps: Step[] = []
  while (steps.length < count) {
    const round = kinds.map((kind) => ({ kind, at: dice() })).toSorted((one, other) => one.at - other.at)
    steps.push(...round.map(({ kind }) => kind(dice)))
  }
  return steps.slice(0, count)
}

const moments: readonly Moment[] = ['asks for the first status', 'asks for replicas', 'waits for readiness']
const cuts: readonly (FaultMode & { readonly title: string })[] = [
  { kind: 'blackHole', title: 'black hole' },
  { kind: 'halfOpen', lost: 'toServer', title: 'commands lost' },
  { kind: 'halfOpen', lost: 'toClient', title: 'answers lost' },
  { kind: 'reset', title: 'reset' },
]

const kinds: readonly ((dice: Dice) => Step)[] = [
  leaderKilled,
  leaderPaused,
  gatewayPaused,
  redisRestarted,
  gatewayCutOff,
  providerPaused,
  providerRestarted,
  gatewaysUpdated,
  listerKilled,
]

function leaderKilled(dice: Dice): Step {
  const moment = oneOf(moments, dice)
  const awayMs = between(0, 1_500, dice)
  return {
    title: `kill the leader of a wake while it ${moment}, for ${awayMs} ms`,
    async inject(run) {
      const { leader, held, answers } = await leaderWho(moment, run)
      await run.kill(leader)
      held.lose()
      await pause(awayMs)
      await run.bringBack(leader)
      await answers
    },
  }
}

function leaderPaused(dice: Dice): Step {
  const moment = oneOf(moments, dice)
  const heldMs = between(200, 3_000, dice)
  return {
    title: `pause the leader of a wake while it ${moment}, for ${heldMs} ms`,
    async inject(run) {
      const { leader, held, answers } = await leaderWho(moment, run)
      leader.pause()
      await pause(heldMs)
      held.letGo()
      leader.resume()
      await answers
    },
  }
}

function gatewayPaused(dice: Dice): Step {
  const number = 1 + between(0, 2, dice)
  const heldMs = between(100, 2_500, dice)
  return {
    title: `pause gateway-${number} for ${heldMs} ms`,
    async inject({ fleet: { cluster } }) {
      cluster.gateway(number).pause()
      await pause(heldMs)
      cluster.gateway(number).resume()
    },
  }
}

function redisRestarted(dice: Dice): Step {
  const awayMs = between(0, 2_500, dice)
  return {
    title: `kill Redis, empty again after ${awayMs} ms`,
    async inject({ fleet: { redis } }) {
      await redis.kill()
      await pause(awayMs)
      await redis.start()
    },
  }
}

function gatewayCutOff(dice: Dice): Step {
  const number = 1 + between(0, 2, dice)
  const { title, ...mode } = oneOf(cuts, dice)
  const cutMs = between(100, 2_500, dice)
  return {
    title: `cut gateway-${number} off from Redis (${title}) for ${cutMs} ms`,
    async inject({ fleet }) {
      const wire = fleet.wireOf(fleet.cluster.gateway(number))
      await wire.set(mode)
      await pause(cutMs)
      await wire.set('pass')
    },
  }
}

function providerPaused(dice: Dice): Step {
  const heldMs = between(100, 2_000, dice)
  return {
    title: `pause the provider for ${heldMs} ms`,
    async inject({ fleet: { gate } }) {
      gate.pause()
      await pause(heldMs)
      gate.resume()
    },
  }
}

function providerRestarted(dice: Dice): Step {
  const awayMs = between(0, 1_500, dice)
  return {
    title: `restart the provider, back after ${awayMs} ms`,
    inject: (run) => run.withoutProvider(awayMs),
  }
}

function gatewaysUpdated(): Step {
  return {
    title: 'restart all gateways one after the other',
    async inject(run) {
      for (const one of run.fleet.gateways) await run.restart(one)
    },
  }
}

function listerKilled(dice: Dice): Step {
  const awayMs = between(0, 1_500, dice)
  return {
    title: `kill the gateway that lists, for ${awayMs} ms`,
    async inject(run) {
      const lister = await eventually('somebody to list', async () => (await run.fleet.listers())[0], 10_000)
      await run.kill(lister)
      await pause(awayMs)
      await run.bringBack(lister)
    },
  }
}

function oneOf<T>(choices: readonly T[], dice: Dice): T {
  const chosen = choices[Math.floor(dice() * choices.length)]
  if (chosen === undefined) throw new Error('invariant: there is something to choose')
  return chosen
}

/** A whole number, both ends included. */
function between(least: number, most: number, dice: Dice): number {
  return least + Math.floor(dice() * (most - least + 1))
}

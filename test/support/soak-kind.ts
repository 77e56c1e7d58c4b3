import type { Agent } from 'node:http'
import type { Answer } from './soak-client.ts'
import { rightAnswer } from './soak-functions.ts'
import type { SoakProvider } from './soak-provider.ts'

/** What calls are made with. */
export interface SoakStage {
  /** URL of the gateway. */
  readonly url: string
  /** URL of its metrics. */
  readonly metricsUrl: string
  /** Connections that are kept. */
  readonly agent: Agent
  readonly provider: SoakProvider
}

/** How one act ended: as it must, unless one of these says otherwise. */
export interface Ending {
  readonly wrong?: string
  /** Not as it should, but nobody could have helped it; and why. */
  readonly excused?: string
}

/** One kind of callers: each does its act, waits a little, and does it again. */
export interface SoakKind {
  readonly name: string
  /** Callers at a time. */
  readonly callers: number
  /** Pause of a caller after each act, so that the rate is bounded. */
  readonly thinkMs: number
  /** Resolves when the act is over, `caller` being its number among those of its kind. */
  act(stage: SoakStage, caller: number): Promise<Ending>
}

/** The act ended as it must. */
export const right: Ending = {}

let lastId = 0

/** A number that no other call has. */
export function newId(): number {
  lastId += 1
  return lastId
}

/** Judges an answer by its status, and by its text where that is known. */
export function expected(answer: Answer, status: number, text?: string): Ending {
  if (answer.isWhole && answer.status === status && (text === undefined || answer.body.toString() === text))
    return right
  return { wrong: inWords(answer) }
}

/**
 * Judges the answer to a call that cannot be repeated. Its connection may have been closed by the upstream while the call was on its
 * way: then it never reached its function, and the gateway may not try again.
 */
export function expectedOnce(stage: SoakStage, answer: Answer, id: number): Ending {
  const hasReached = stage.provider.hasReached(id)
  if (answer.isWhole && answer.status === 502 && !hasReached)
    return { excused: 'met a connection that was being closed' }
  return expected(answer, 200, rightAnswer(id))
}

/** An answer for a message. */
export function inWords({ status, isWhole, body }: Answer): string {
  if (status === 0) return 'no answer'
  return `${isWhole ? '' : 'truncated '}${status} "${body.toString('latin1', 0, 120)}"`
}

/** The first of several endings that is not right. */
export function worst(endings: readonly Ending[]): Ending {
  return (
    endings.find(({ wrong }) => wrong !== undefined) ?? endings.find(({ excused }) => excused !== undefined) ?? right
  )
}

import type { FunctionState } from './function-state.ts'

/** Whether two states say the same of a function, whenever and under whatever lease they were observed. */
export function saysTheSame(one: FunctionState, other: FunctionState): boolean {
  return factsOf(one) === factsOf(other)
}

function factsOf({ observedAtMs: _observed, fence: _fence, identity, ...facts }: FunctionState): string {
  return JSON.stringify([identity.key, sorted(facts.labels), sorted(facts.annotations), sorted(facts)])
}

function sorted(fields: object): readonly (readonly [string, unknown])[] {
  return Object.entries(fields)
    .filter(([, value]) => typeof value !== 'object')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}

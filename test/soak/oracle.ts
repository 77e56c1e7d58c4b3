import type { Sample } from '../support/soak-sample.ts'
import type { KindCounts } from '../support/soak-tally.ts'

/** All that is known of a run. */
export interface Evidence {
  readonly title: string
  readonly kinds: ReadonlyMap<string, KindCounts>
  /** Fewest acts of each kind; a run with less proves nothing. */
  readonly fewestActs: number
  /** At rest, in the order of time; the first one after warming up. */
  readonly samples: readonly Sample[]
  /** Warnings of Node.js, and errors that the gateway logged. */
  readonly complaints: readonly string[]
}

/** What the oracle says of a run. */
export interface Verdict {
  /** What must not have happened, in words; empty for a good run. */
  readonly violations: readonly string[]
  /** The run in one line. */
  readonly summary: string
}

/**
 * What the last sample may have more than the least of those before, for each process: its noise at rest, whatever the number
 * of calls.
 */
const allowed = {
  heapBytes: 600_000,
  /** The engine `h1` keeps up to sixteen read buffers of 256 KiB; under this load it has needed one at a time. */
  bufferBytes: 1_200_000,
  descriptors: 4,
  resources: 4,
  /** Of each class (node:http keeps parsers for later, undici clients, timers a list for each duration); and a share of those that there are many of anyway. */
  objects: 100,
  objectsRatio: 0.01,
}
/** Excused acts of a kind: so many may always be, and this share of them. */
const excusable = { acts: 3, ratio: 0.05 }
/** Of the complaints, so many are told. */
const mostTold = 5

/** Judges a run by all rules. */
export function judge(evidence: Evidence): Verdict {
  const rules = [substance(evidence), accounts(evidence), growth(evidence), rest(evidence), complaints(evidence)]
  return { violations: rules.flat(), summary: summaryOf(evidence) }
}

function substance({ kinds, samples, fewestActs }: Evidence): readonly string[] {
  const rare = [...kinds].filter(([, { begun }]) => begun < fewestActs)
  return [
    ...(kinds.size === 0 ? ['nobody called'] : []),
    ...(samples.length < 2 ? [`only ${samples.length} samples were taken`] : []),
    ...rare.map(([name, { begun }]) => `only ${begun} acts of "${name}" were begun`),
  ]
}

/** Every act ends, as it must. */
function accounts({ kinds }: Evidence): readonly string[] {
  return [...kinds].flatMap(([name, counts]) => wrongsOf(counts).map((what) => `"${name}": ${what}`))
}

function wrongsOf({ begun, right, excused, wrongCount, wrong }: KindCounts): readonly string[] {
  const missing = begun - right - excused - wrongCount
  return [
    ...wrong,
    ...(wrongCount > wrong.length ? [`${wrongCount - wrong.length} more were wrong`] : []),
    ...(missing === 0 ? [] : [`${missing} of ${begun} acts have no end`]),
    ...(excused > excusable.acts + excusable.ratio * begun ? [`${excused} of ${begun} acts were excused`] : []),
  ]
}

/** Nothing is more at the end than it was before. */
function growth({ samples }: Evidence): readonly string[] {
  const last = samples.at(-1)
  const earlier = samples.slice(0, -1)
  if (last === undefined || earlier.length === 0) return []
  const check = (what: string, of: (sample: Sample) => number, may: (from: number) => number): readonly string[] => {
    const [from, to] = [Math.min(...earlier.map(of)), of(last)]
    return to - from <= may(from) * last.processes ? [] : [`${what} grew: ${samples.map(of).join(', ')}`]
  }
  const checkAll = (what: string, key: 'resources' | 'objects', may: (from: number) => number): readonly string[] =>
    Object.keys(last[key]).flatMap((name) => check(`${what} ${name}`, (sample) => sample[key][name] ?? 0, may))
  return [
    ...check(
      'the heap',
      ({ heapBytes }) => heapBytes,
      () => allowed.heapBytes,
    ),
    ...check(
      'memory of buffers',
      ({ bufferBytes }) => bufferBytes,
      () => allowed.bufferBytes,
    ),
    ...check(
      'open descriptors',
      ({ descriptors }) => descriptors,
      () => allowed.descriptors,
    ),
    ...checkAll('active resources', 'resources', () => allowed.resources),
    ...checkAll('objects of class', 'objects', (from) => allowed.objects + allowed.objectsRatio * from),
  ]
}

/** Whenever nobody calls, nothing is under way. */
function rest({ samples }: Evidence): readonly string[] {
  return samples.flatMap(({ unfinished, acts }) =>
    Object.entries(unfinished)
      .filter(([, count]) => count !== 0)
      .map(([name, count]) => `the ${name} was ${count} after ${acts} acts, with nobody calling`),
  )
}

function complaints({ complaints: all }: Evidence): readonly string[] {
  const told = all.slice(0, mostTold).map((text) => `the gateway said: ${text}`)
  return all.length > mostTold ? [...told, `... and ${all.length - mostTold} more`] : told
}

function summaryOf({ title, kinds, samples }: Evidence): string {
  const counts = [...kinds].map(
    ([name, { begun, excused }]) => `${name} ${begun}${excused === 0 ? '' : ` (${excused} excused)`}`,
  )
  const row = (of: (sample: Sample) => string | number): string => samples.map(of).join(' ')
  const resources = Object.entries(samples.at(-1)?.resources ?? {}).map(([name, count]) => `${name} ${count}`)
  return [
    `${title}: ${samples.at(-1)?.acts ?? 0} acts (${counts.join(', ')})`,
    `heap ${row(({ heapBytes }) => (heapBytes / 1e6).toFixed(2))} MB`,
    `buffers ${row(({ bufferBytes }) => (bufferBytes / 1e6).toFixed(2))} MB`,
    `objects ${row(({ objects }) => Object.values(objects).reduce((sum, count) => sum + count, 0))}`,
    `descriptors ${row(({ descriptors }) => descriptors)}`,
    `at the end ${resources.join(', ')}`,
  ].join('; ')
}

import { beside, type CallFrame, groupOf, placeOf } from './groups.ts'

/** What `Profiler.stop` of V8's inspector protocol answers. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[]
}

/** What `HeapProfiler.stopSampling` answers. */
export interface HeapProfile {
  readonly head: HeapNode
}

interface HeapNode {
  readonly callFrame: CallFrame
  /** Bytes. */
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** A share of a whole. */
export interface Share {
  readonly name: string
  readonly amount: number
}

/** Amounts by group, and by single function. */
export interface Summary {
  readonly groups: readonly Share[]
  readonly functions: readonly Share[]
}

/** One function at one place of the tree of calls. */
interface Spot {
  readonly frame: CallFrame
  readonly group: string
  readonly amount: number
}

/** Sums up microseconds; a native counts for whoever called it. */
export function summarizeCpu({ nodes, samples, timeDeltas }: CpuProfile): Summary {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const selfUs = new Map<number, number>()
  for (const [at, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[at] ?? 0))
  const spots: Spot[] = []
  const visit = (id: number, above: string): void => {
    const node = byId.get(id)
    if (node === undefined) return
    const group = groupOf(node.callFrame) ?? above
    spots.push({ frame: node.callFrame, group, amount: selfUs.get(id) ?? 0 })
    for (const child of node.children ?? []) visit(child, group)
  }
  visit(nodes[0]?.id ?? -1, other)
  return sumUp(spots)
}

/** Sums up bytes; a native counts for whoever called it. */
export function summarizeHeap({ head }: HeapProfile): Summary {
  const spots: Spot[] = []
  const visit = (node: HeapNode, above: string): void => {
    const group = groupOf(node.callFrame) ?? above
    spots.push({ frame: node.callFrame, group, amount: node.selfSize })
    for (const child of node.children) visit(child, group)
  }
  visit(head, other)
  return sumUp(spots)
}

const other = 'not attributed'

function sumUp(all: readonly Spot[]): Summary {
  const spots = all.filter(({ group }) => !beside.has(group))
  return {
    groups: summed(spots.map(({ group, amount }) => ({ name: group, amount }))),
    functions: summed(spots.map(({ frame, amount }) => ({ name: placeOf(frame), amount }))),
  }
}

/** Largest first. */
function summed(shares: readonly Share[]): readonly Share[] {
  const sums = new Map<string, number>()
  for (const { name, amount } of shares) sums.set(name, (sums.get(name) ?? 0) + amount)
  const all = [...sums].map(([name, amount]) => ({ name, amount })).filter(({ amount }) => amount > 0)
  return all.toSorted((one, next) => next.amount - one.amount)
}

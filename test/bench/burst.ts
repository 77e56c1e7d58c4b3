import type { Contender } from './contender.ts'
import { generateLoad, type LoadResult, type LoadShape } from './load.ts'
import { treeCpuMs, treeResidentMb } from './process-usage.ts'

/** What a contender showed while all connections were busy. */
export interface Burst extends LoadResult {
  /** CPU time of the contender and all that it started, for each request, in microseconds. */
  readonly cpuUs: number
  readonly perSecond: number
  /** At the end. */
  readonly residentMb: number
}

/** Loads one contender as much as it can take. @param path where */
export async function burst(contender: Contender, path: string, shape: LoadShape): Promise<Burst> {
  const before = treeCpuMs(contender.pid)
  const result = await generateLoad({ url: `${contender.url}${path}`, ...shape })
  const used = treeCpuMs(contender.pid) - before
  return {
    ...result,
    cpuUs: (used * 1000) / result.requests,
    perSecond: result.requests / shape.seconds,
    residentMb: treeResidentMb(contender.pid),
  }
}

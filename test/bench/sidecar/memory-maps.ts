import { readFileSync } from 'node:fs'

/** Memory of one process, in megabytes. */
export interface MemoryShare {
  readonly residentMb: number
  /** Resident, where a page that several processes have counts for each of them by its share only. */
  readonly proportionalMb: number
  /** Resident, and nobody else's: what one more process of the kind costs at least. */
  readonly privateMb: number
}

/** Reads what a process has resident now. proc(5), smaps_rollup. */
export function memoryShare(pid: number): MemoryShare {
  return parseRollup(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
}

/** Reads the text of `/proc/<pid>/smaps_rollup`. */
export function parseRollup(text: string): MemoryShare {
  const megabytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
  return {
    residentMb: megabytes('Rss'),
    proportionalMb: megabytes('Pss'),
    privateMb: megabytes('Private_Clean') + megabytes('Private_Dirty'),
  }
}

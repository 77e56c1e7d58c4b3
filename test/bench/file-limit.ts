import { readFileSync } from 'node:fs'

/** Most files and sockets that each process may have open: Node raises its own limit to this one, and so do the peers. */
export const fileLimit = readFileLimit()

function readFileLimit(): number {
  const [, hard = ''] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return hard === 'unlimited' ? 1_000_000 : Number(hard)
}

import { readFileSync } from 'node:fs'
import type { GatewayProcess } from './gateway-process.ts'

/** Process ids of the workers of a gateway, oldest first. */
export function workerPids({ pid }: Pick<GatewayProcess, 'pid'>): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.split(' ').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]))
  } catch {
    return [] // the gateway itself is gone
  }
}

/** Whether a process exists; a dead one that nobody has waited for does not count. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

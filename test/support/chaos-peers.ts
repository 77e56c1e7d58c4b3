import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { eventually } from './eventually.ts'

/**
 * Resolves with the one of some processes that has the other end of a connection on loopback. Linux only.
 * @throws Error when none of them has it, or the connection is closed
 */
export function processBehind(connection: Socket, pids: readonly number[]): Promise<number> {
  const { localPort = 0, remotePort = 0 } = connection
  // As the row of the other end begins.
  const ends = `: ${onLoopback(remotePort)} ${onLoopback(localPort)} `
  // The kernel's table is read in pieces, while it changes: a row may be missed.
  return eventually(`one of the processes ${pids.join(', ')} at port ${remotePort}`, () => processAt(ends, pids), 1_000)
}

/** @see proc_net(5), /proc/net/tcp; proc_pid_fd(5) */
function processAt(ends: string, pids: readonly number[]): number | undefined {
  const row = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((one) => one.includes(ends))
  const inode = row?.trim().split(/\s+/)[9]
  return inode === undefined ? undefined : pids.find((pid) => filesOf(pid).includes(`socket:[${inode}]`))
}

function onLoopback(port: number): string {
  return `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
}

function filesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).flatMap((name) => {
    try {
      return readlinkSync(`${folder}/${name}`)
    } catch {
      return [] // closed meanwhile
    }
  })
}

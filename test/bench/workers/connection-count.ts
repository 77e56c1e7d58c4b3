import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** State of a connection in /proc/net/tcp; include/net/tcp_states.h of Linux. */
const established = '01'

/** How many connections to a port of loopback a process has accepted and has open now. */
export function acceptedConnections(pid: number, port: number): number {
  const inodes = socketInodes(pid)
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
  return lines.filter((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === established && Number.parseInt(local.split(':')[1] ?? '', 16) === port && inodes.has(inode)
  }).length
}

function socketInodes(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).map((name) => linkTarget(`${folder}/${name}`))
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))
}

/** Empty for a descriptor that was closed meanwhile. */
function linkTarget(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

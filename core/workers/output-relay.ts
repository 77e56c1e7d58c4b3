import type { Readable, Writable } from 'node:stream'

const newline = 0x0a

/**
 * Passes what a process writes on to `target`, whole lines at a time: lines of several processes never run into each other. A
 * target that does not take any more makes the process wait.
 */
export function relayLines(source: Readable, target: Writable): void {
  let rest: Buffer[] = []
  const write = (lines: Buffer): void => {
    if (target.write(lines)) return
    source.pause()
    target.once('drain', () => source.resume())
  }
  source.on('data', (piece: Buffer) => {
    const end = piece.lastIndexOf(newline) + 1
    if (end > 0) {
      write(Buffer.concat([...rest, piece.subarray(0, end)]))
      rest = []
    }
    if (end < piece.byteLength) rest.push(piece.subarray(end))
  })
  source.once('end', () => {
    if (rest.length > 0) write(Buffer.concat([...rest, Buffer.from('\n')]))
  })
  source.on('error', () => {})
}

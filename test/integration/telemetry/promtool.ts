import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { toolPath } from '../../support/debian-tools.ts'

/** Runs `promtool check metrics`, which parses with Prometheus' own parser and then finds fault with names. */
export async function promtool(page: Uint8Array): Promise<{ code: number | null; said: readonly string[] }> {
  const child = spawn(toolPath('promtool'), ['check', 'metrics'])
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.stdin.end(page)
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, said: (out + err).trim().split('\n') }
}

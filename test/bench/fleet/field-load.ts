import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LoadResult } from '../load.ts'

/** What the callers saw. */
export interface FieldLoadResult {
  readonly requests: number
  /** Answers other than 200, and calls without one. */
  readonly failures: number
}

/** One run of load. */
export interface FieldLoad {
  /** Servers among which the connections are divided. */
  readonly urls: readonly string[]
  readonly target: string
  readonly connections: number
  readonly seconds: number
}

const run = promisify(execFile)
const hasHey = spawnSync('hey').error === undefined
const ownClient = fileURLToPath(new URL('../load-client.ts', import.meta.url))

/** Name of the load generator in use. */
export const fieldLoadGenerator = hasHey ? 'hey' : 'test/bench/load-client.ts (hey is not installed)'

/** Keeps all connections busy, one request under way on each. */
export async function fieldLoad({ urls, target, connections, seconds }: FieldLoad): Promise<FieldLoadResult> {
  const each = Math.round(connections / urls.length)
  const results = await Promise.all(urls.map((url) => loadOne(`${url}${target}`, each, seconds)))
  const sum = (pick: (one: FieldLoadResult) => number): number => results.reduce((total, one) => total + pick(one), 0)
  return { requests: sum((one) => one.requests), failures: sum((one) => one.failures) }
}

async function loadOne(url: string, connections: number, seconds: number): Promise<FieldLoadResult> {
  if (hasHey) return parseHey((await run('hey', ['-c', String(connections), '-z', `${seconds}s`, url])).stdout)
  const { stdout } = await run(process.execPath, [ownClient, url, String(connections), String(seconds)])
  return JSON.parse(stdout) as LoadResult // what load-client.ts prints
}

/** Reads hey's summary. hey counts the codes of the first million of answers only: those beyond count as a 200 here. */
export function parseHey(text: string): FieldLoadResult {
  const [codes = '', errors = ''] = (text.split('Status code distribution:')[1] ?? '').split('Error distribution:')
  const counted = [...codes.matchAll(/\[(\d+)\]\s+(\d+) responses/g)].map(([, code, n]) => ({ code, count: Number(n) }))
  const other = counted.filter(({ code }) => code !== '200')
  const broken = [...errors.matchAll(/^\s*\[(\d+)\]/gm)].map(([, n]) => ({ count: Number(n) }))
  const sum = (all: readonly { count: number }[]): number => all.reduce((total, { count }) => total + count, 0)
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  const answered = Math.round(number(/Requests\/sec:\s+([\d.]+)/) * number(/Total:\s+([\d.]+) secs/))
  return { requests: Math.max(answered, sum(counted) + sum(broken)), failures: sum(other) + sum(broken) }
}

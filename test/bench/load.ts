import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onLoadCpu } from './pinning.ts'

/** What a burst of load saw. */
export interface LoadResult {
  readonly requests: number
  /** Connections that broke and answers other than 2xx or 3xx. */
  readonly failures: number
  readonly medianUs: number
  readonly p99Us: number
}

/** One burst of load. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
}

const run = promisify(execFile)
const hasWrk = spawnSync('wrk', ['-v']).error === undefined
const ownClient = fileURLToPath(new URL('load-client.ts', import.meta.url))

/** Name of the load generator in use. */
export const loadGenerator = hasWrk ? 'wrk, one thread' : 'test/bench/load-client.ts (wrk is not installed)'

/** Keeps `connections` keep-alive connections busy for `seconds`, one request under way on each. */
export async function generateLoad({ url, connections, seconds }: Load): Promise<LoadResult> {
  const command = hasWrk
    ? ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]
    : [process.execPath, ownClient, url, String(connections), String(seconds)]
  const [file = '', ...args] = [...onLoadCpu, ...command]
  const { stdout } = await run(file, args)
  return hasWrk ? parseWrk(stdout) : (JSON.parse(stdout) as LoadResult) // what load-client.ts prints
}

function parseWrk(text: string): LoadResult {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? []
  return {
    requests: number(/(\d+) requests in/),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + broken.reduce((sum, count) => sum + Number(count), 0),
    medianUs: microseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Us: microseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
  }
}

function microseconds(match: RegExpExecArray | null): number {
  const unit = { us: 1, ms: 1_000, s: 1_000_000 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * unit
}

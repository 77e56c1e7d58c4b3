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

/** What load looks like, whoever gets it. */
export interface LoadShape {
  readonly connections: number
  readonly seconds: number
  /** Sends a POST with a body of so many bytes instead of a GET. */
  readonly bodyBytes?: number
  /** Opens a connection for each request, and says so by `Connection: close`. */
  readonly closes?: boolean
  /** Words before the command; default: those for the CPU of the load. */
  readonly launcher?: readonly string[]
}

/** One burst of load. */
export interface Load extends LoadShape {
  readonly url: string
}

const run = promisify(execFile)
const hasWrk = spawnSync('wrk', ['-v']).error === undefined
const ownClient = fileURLToPath(new URL('load-client.ts', import.meta.url))
const postScript = fileURLToPath(new URL('load-post.lua', import.meta.url))

/** Name of the load generator in use. */
export const loadGenerator = hasWrk ? 'wrk, one thread' : 'test/bench/load-client.ts (wrk is not installed)'

/** Keeps `connections` connections busy for `seconds`, one request under way on each. */
export async function generateLoad(load: Load): Promise<LoadResult> {
  const [file = '', ...args] = [...(load.launcher ?? onLoadCpu), ...(hasWrk ? wrkCommand(load) : ownCommand(load))]
  const { stdout } = await run(file, args)
  return hasWrk ? parseWrk(stdout) : (JSON.parse(stdout) as LoadResult) // what load-client.ts prints
}

function wrkCommand({ url, connections, seconds, bodyBytes = 0, closes = false }: Load): readonly string[] {
  return [
    ...['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency'],
    ...(closes ? ['-H', 'Connection: close'] : []),
    ...(bodyBytes > 0 ? ['-s', postScript, url, '--', String(bodyBytes)] : [url]),
  ]
}

function ownCommand({ url, connections, seconds, bodyBytes = 0, closes = false }: Load): readonly string[] {
  const numbers = [connections, seconds, bodyBytes].map(String)
  return [process.execPath, ownClient, url, ...numbers, ...(closes ? ['close'] : [])]
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

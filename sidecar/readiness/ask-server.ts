import { probe, type ProbeDeps, type ProbeFinding } from './probe.ts'

/** A server, and what of it must answer. */
export interface AskedServer {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** Each must be answered 2xx; without any, a connection that is accepted is enough. */
  readonly paths: readonly string[]
}

/** Asks for one path after the other, until one does not answer well. Never rejects. */
export async function askServer(
  { host, port, paths }: AskedServer,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  let finding: ProbeFinding = { kind: 'well' }
  for (const path of paths.length === 0 ? [''] : paths) {
    finding = await probe({ host, port, path }, deps, signal)
    if (finding.kind !== 'well') break
  }
  return finding
}

import { spawn } from 'node:child_process'

/** What a process left when it ended. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** How to run a process. */
export interface RunOptions {
  /** The whole environment, besides `PATH`. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs this Node.js with `args` to its end and returns what it wrote. */
export async function runNode(args: readonly string[], { env = {}, cwd }: RunOptions = {}): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout, stderr }
}

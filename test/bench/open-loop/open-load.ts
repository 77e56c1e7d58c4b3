import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onLoadCpu } from '../pinning.ts'
import type { OpenLoad, OpenLoadResult } from './plan.ts'

const run = promisify(execFile)
const generator = fileURLToPath(new URL('generator.ts', import.meta.url))

/** Makes calls at a fixed rate, in a process of its own; see generator.ts. */
export async function openLoad(load: OpenLoad): Promise<OpenLoadResult> {
  const [file = '', ...args] = [...onLoadCpu, process.execPath, generator, JSON.stringify(load)]
  const { stdout } = await run(file, args)
  return JSON.parse(stdout) as OpenLoadResult // what generator.ts prints
}

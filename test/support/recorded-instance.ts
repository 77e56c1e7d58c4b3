import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import type { SidecarProcess } from './sidecar-process.ts'

const functionProgram = fileURLToPath(new URL('recorded-function.js', import.meta.url))

/** Time for an instance to start, and to be called, on a busy machine. */
const patienceMs = 15_000

/** Variables of a sidecar that runs the function which records its calls. @param file where it writes */
export function recordedFunction(file: string, workMs: number): Readonly<Record<string, string>> {
  return { mode: 'http', fprocess: `${process.execPath} ${functionProgram}`, record: file, work_ms: String(workMs) }
}

/** A sidecar with the function that it runs: two processes, and what the function wrote down itself. */
export class RecordedInstance implements AsyncDisposable {
  readonly id: string
  readonly sidecar: SidecarProcess
  readonly #file: string

  constructor(id: string, sidecar: SidecarProcess, file: string) {
    this.id = id
    this.sidecar = sidecar
    this.#file = file
  }

  /** Ids of the calls that began, in order. */
  get calls(): readonly string[] {
    return this.#lines('call').map(([id = '']) => id)
  }

  /** The most calls that the function had at a time, by its own count. */
  get mostUnderWay(): number {
    return Math.max(0, ...this.#lines('call').map(([, underWay]) => Number(underWay)))
  }

  /** Process ids of the function, one for each time that it was started. */
  get functionPids(): readonly number[] {
    return this.#lines('process').map(([pid]) => Number(pid))
  }

  /** Whether a process of the function ended because it was asked to. */
  get wasStopped(): boolean {
    return this.#text().includes('stopped\n')
  }

  /** Resolves when `times` more calls have begun. @throws Error with what the sidecar said when they do not */
  async isCalled(times = 10): Promise<void> {
    const before = this.calls.length
    try {
      await eventually(`${this.id} to be called`, () => this.calls.length >= before + times, patienceMs)
    } catch (error) {
      throw new Error(`${this.id} is not called; its sidecar says:\n${this.sidecar.output}`, { cause: error })
    }
  }

  /** Kills the newest process of the function. */
  killFunction(): void {
    const pid = this.functionPids.at(-1)
    if (pid === undefined) throw new Error('the function has not been started')
    process.kill(pid, 'SIGKILL')
  }

  /** Ends both at once, also a function that its sidecar has left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.sidecar[Symbol.asyncDispose]()
    for (const pid of this.functionPids) {
      if (isOfFunction(pid)) process.kill(pid, 'SIGKILL')
    }
  }

  #lines(kind: 'call' | 'process'): readonly (readonly string[])[] {
    const found = this.#text().matchAll(new RegExp(`^${kind} (.*)\\n`, 'gm'))
    return Array.from(found, ([, rest = '']) => rest.split(' '))
  }

  #text(): string {
    try {
      return readFileSync(this.#file, 'utf8')
    } catch {
      return '' // the function has not begun
    }
  }
}

/** Whether this process is still the function: a number may belong to another process by now. */
function isOfFunction(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(functionProgram)
  } catch {
    return false
  }
}

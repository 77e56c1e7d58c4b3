import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolPath } from './debian-tools.ts'
import { eventually } from './eventually.ts'
import { killOnExit } from './kill-on-exit.ts'
import { projectRoot } from './source-files.ts'

/** The program behind `npm run cluster`. */
export const clusterEntry = join(projectRoot, 'deploy/cluster/main.ts')

const patienceMs = 20_000

/** The command as a user runs it. Disposing it kills it. */
export class ClusterCommand implements AsyncDisposable {
  output = ''
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  readonly #child: ChildProcess
  /** One that is killed cannot remove what it wrote. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'pilotlight-test-'))
  #hasEnded = false

  private constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [clusterEntry, '--port=0', ...args], {
      env: {
        PATH: process.env['PATH'] ?? '',
        TMPDIR: this.#folder,
        NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), // with a folder of its own, every start would compile anew
        PILOTLIGHT_HOLD_TIMEOUT: '55s',
        PILOTLIGHT_REDIS_URL: 'redis://127.0.0.1:1', // the cluster has its own
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    killOnExit(this.#child)
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (piece: Buffer) => void (this.output += piece.toString()))
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#hasEnded = true
        resolve(signal ?? code ?? -1)
      })
    })
  }

  /** Resolves when it says that the cluster is up. @throws Error with its output when it ends first */
  static async start(...args: readonly string[]): Promise<ClusterCommand> {
    for (const program of [toolPath('redis-server'), toolPath('haproxy')])
      if (program === '') throw new Error('no program')
    const command = new ClusterCommand(args)
    await eventually('the cluster to be up', () => command.#isUp || command.#hasEnded, patienceMs)
    if (!command.#isUp) throw new Error(command.output)
    return command
  }

  /** Starts it without waiting. */
  static begin(...args: readonly string[]): ClusterCommand {
    return new ClusterCommand(args)
  }

  /** What stands in its output behind a name. */
  address(name: string): string {
    return new RegExp(`^  ${name} .*?((?:https?|redis):\\S+|/\\S+)`, 'm').exec(this.output)?.[1] ?? ''
  }

  /** The pid of a gateway. */
  pidOf(gateway: string): number {
    return Number(new RegExp(`^  ${gateway} .* pid (\\d+)$`, 'm').exec(this.output)?.[1])
  }

  /** The processes that it has started, and those that these have started, with their commands. */
  descendants(): ReadonlyMap<number, string> {
    return descendantsOf(this.#child.pid ?? 0)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #isUp(): boolean {
    return this.output.includes('Ctrl-C stops all of it')
  }
}

/** Resolves when none of these processes is left. */
export async function allGone(processes: ReadonlyMap<number, string>): Promise<void> {
  const left = (): string[] => [...processes].flatMap(([pid, command]) => (isAlive(pid) ? [`${pid} ${command}`] : []))
  await eventually('all processes to go', () => left().length === 0, patienceMs).catch(() => {
    throw new Error(`still there: ${left().join(', ')}`)
  })
}

function descendantsOf(root: number): ReadonlyMap<number, string> {
  const parents = new Map(
    readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [[Number(name), parentOf(Number(name))]] : [])),
  )
  const found = new Map<number, string>()
  const visit = (parent: number): void => {
    for (const [pid, its] of parents) {
      if (its !== parent || found.has(pid)) continue
      found.set(pid, readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
      visit(pid)
    }
  }
  visit(root)
  return found
}

function parentOf(pid: number): number {
  return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readText(`/proc/${pid}/stat`))?.[1])
}

/** Those that have ended and wait for somebody to ask how are gone. */
function isAlive(pid: number): boolean {
  return /^\d+ \(.*\) [^ZX]/s.test(readText(`/proc/${pid}/stat`))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { FreePorts } from '../../../deploy/cluster/free-ports.ts'
import { toolPath } from '../../support/debian-tools.ts'
import { eventually } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { fileLimit } from '../file-limit.ts'
import { OwnFolder } from '../own-folder.ts'
import { haproxyConfig } from './haproxy-config.ts'
import { nginxConfig } from './nginx-config.ts'

/** What a configuration is made of. */
export interface PeerSettings {
  /** On loopback. */
  readonly port: number
  readonly upstreamPort: number
  /** For temporary files. */
  readonly folder: string
  /** Most connections of both sides together. */
  readonly maxConnections: number
}

/** Proxies written in C that are known to be fast. */
export type PeerName = 'nginx' | 'haproxy'

interface PeerKind {
  readonly config: (settings: PeerSettings) => string
  readonly args: (path: string) => readonly string[]
}

const kinds: Readonly<Record<PeerName, PeerKind>> = {
  nginx: { config: nginxConfig, args: (path) => ['-e', 'stderr', '-c', path] },
  haproxy: { config: haproxyConfig, args: (path) => ['-db', '-f', path] },
}

const ports = new FreePorts()
const patienceMs = 10_000
/** Enough for every part; each one costs nginx memory, used or not. */
const maxConnections = Math.min(fileLimit, 12_000)

/** A peer on one CPU in front of an upstream, with a configuration in a folder of its own. */
export class PeerProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: OwnFolder
  /** What it complains of; shown only when it does not start, for HAProxy always complains of something. */
  #complaints = ''

  private constructor(url: string, child: ChildProcess, folder: OwnFolder) {
    this.url = url
    this.#child = child
    this.#folder = folder
    child.stderr?.on('data', (piece: Buffer) => (this.#complaints += piece.toString()))
  }

  /** Resolves when it answers. @throws Error when it does not */
  static async start(name: PeerName, upstreamUrl: string, launcher: readonly string[]): Promise<PeerProcess> {
    const kind = kinds[name]
    const port = await ports.take()
    const folder = new OwnFolder(name)
    const path = folder.fileNamed('peer.conf')
    const upstreamPort = Number(new URL(upstreamUrl).port)
    writeFileSync(path, kind.config({ port, upstreamPort, folder: folder.path, maxConnections }))
    const [command = '', ...args] = [...launcher, toolPath(name), ...kind.args(path)]
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    killOnExit(child)
    const peer = new PeerProcess(`http://127.0.0.1:${port}`, child, folder)
    try {
      await eventually(`${name} to answer`, () => peer.#answers(), patienceMs)
      return peer
    } catch (error) {
      await peer[Symbol.asyncDispose]()
      throw new Error(`${name} does not start: ${peer.#complaints}`, { cause: error })
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve))
      this.#child.kill('SIGKILL')
      await exited
    }
    this.#folder[Symbol.dispose]()
  }

  async #answers(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`it exited with ${this.#child.exitCode}`)
    try {
      const answer = await fetch(`${this.url}/function/echo`, { headers: { connection: 'close' } })
      await answer.arrayBuffer()
      return answer.ok
    } catch {
      return false
    }
  }
}

/** Says which Debian package is missing for a peer; undefined when it can be started. */
export function missingPeer(name: PeerName): string | undefined {
  try {
    toolPath(name)
    return undefined
  } catch {
    return `${name} is left out: not installed (Debian package ${name === 'nginx' ? 'nginx-light' : name})`
  }
}

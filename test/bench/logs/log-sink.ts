import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, statSync } from 'node:fs'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { OwnFolder } from '../own-folder.ts'
import { onLoadCpu } from '../pinning.ts'

/** Where a log goes: a pipe that somebody reads, as container engines do, or a file. */
export type SinkKind = 'pipe' | 'file'

/** Somewhere for a process to write its standard output to. Dispose it after the process. */
export class LogSink implements AsyncDisposable {
  /** For the process's `stdio`. */
  readonly descriptor: number
  readonly #folder = new OwnFolder('log')
  readonly #path = this.#folder.fileNamed('log')
  readonly #reader: ChildProcess | undefined

  /** @throws Error when a pipe cannot be made (mkfifo of coreutils) */
  constructor(kind: SinkKind) {
    if (kind === 'file') {
      this.descriptor = openSync(this.#path, 'a')
      return
    }
    if (spawnSync('mkfifo', [this.#path]).status !== 0) throw new Error('mkfifo is missing (Debian package coreutils)')
    const [command = '', ...args] = [...onLoadCpu, 'sh', '-c', 'exec cat "$0" >/dev/null', this.#path]
    this.#reader = spawn(command, args, { stdio: 'ignore' })
    killOnExit(this.#reader)
    // Returns once the reader has opened its end.
    this.descriptor = openSync(this.#path, 'w')
  }

  /** Bytes in the file; undefined for a pipe. */
  get bytes(): number | undefined {
    return this.#reader === undefined ? statSync(this.#path).size : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.descriptor)
    const reader = this.#reader
    if (reader !== undefined && reader.exitCode === null && reader.signalCode === null) {
      const exited = once(reader, 'exit')
      reader.kill('SIGKILL')
      await exited
    }
    this.#folder[Symbol.dispose]()
  }
}

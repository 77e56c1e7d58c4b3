import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessRecords } from '#core'

/** The processes of a function that a sidecar has started and noted in a folder of its own. Each leads a group. */
export class FunctionProcesses {
  readonly folder: string

  /** @param folder made when the sidecar first writes there */
  constructor(folder: string) {
    this.folder = folder
  }

  /** Groups of the processes that run now, as far as the sidecar has noted them. */
  get groups(): readonly number[] {
    return namesIn(this.folder)
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid > 1)
  }

  /** Kills what a sidecar has left behind, and forgets it. Only once the sidecar has ended: until then it may start more. */
  end(): readonly number[] {
    const killed = namesIn(this.folder).length === 0 ? [] : new ProcessRecords(this.folder).killOrphans()
    rmSync(this.folder, { recursive: true, force: true })
    return killed
  }
}

/** The folders of all replicas. */
export class ReplicaFolders {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }

  of(instance: string): FunctionProcesses {
    return new FunctionProcesses(join(this.#path, instance))
  }

  /** Kills what any sidecar has left behind. Only when no sidecar runs. @returns the groups that were killed */
  endAll(): readonly number[] {
    return namesIn(this.#path).flatMap((instance) => this.of(instance).end())
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // it has noted nothing yet, or nothing is left
  }
}

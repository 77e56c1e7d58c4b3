import { accessSync, constants, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'

/** Where the provider keeps what is its own. Every folder is for its user only (mode 0700). */
export class StateDirectory {
  readonly path: string

  /** @throws Error with the path when it cannot be made or written to */
  constructor(path: string) {
    this.path = path
    try {
      makeOwn(path)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`the state directory "${path}" cannot be used (option stateDirectory): ${why}`, { cause })
    }
  }

  /** Finds the place for the default state: below the working directory, or where that is read-only, below the system's temporary folder. */
  static default(): StateDirectory {
    const beside = resolve('.pilotlight', 'local-provider')
    try {
      return new StateDirectory(beside)
    } catch {
      return new StateDirectory(join(tmpdir(), `pilotlight-${userInfo().uid}`, 'local-provider'))
    }
  }

  get stateFile(): string {
    return join(this.path, 'state.json')
  }

  get lockFile(): string {
    return join(this.path, 'lock')
  }

  /** Holds a record per sidecar that runs. */
  get processes(): string {
    return join(this.path, 'processes')
  }

  /** Holds a folder per replica, with a record per process of its function. */
  get replicas(): string {
    return join(this.path, 'replicas')
  }

  get secrets(): string {
    return join(this.path, 'secrets')
  }

  /** Home and working directory of a function's processes. */
  homeOf(namespace: string, name: string): string {
    return join(this.#folderOf(namespace, name), 'home')
  }

  /** Holds the newest fence of a function. */
  fenceOf(namespace: string, name: string): string {
    return join(this.#folderOf(namespace, name), 'fence')
  }

  /** Folder that shows a function its secrets. */
  secretsOf(namespace: string, name: string): string {
    return join(this.#folderOf(namespace, name), 'secrets')
  }

  /** Removes what belongs to a function. The name is free at once; the files go in their own time. Never rejects. */
  async removeFunction(namespace: string, name: string): Promise<void> {
    const discarded = join(this.path, 'functions', `.removed-${crypto.randomUUID()}`)
    try {
      renameSync(this.#folderOf(namespace, name), discarded)
      await rm(discarded, { recursive: true, force: true })
    } catch {
      // It never ran, so it has no folder; or a process that left its group still writes there.
    }
  }

  #folderOf(namespace: string, name: string): string {
    return join(this.path, 'functions', namespace, name)
  }
}

/** Makes a folder that nobody else can read, and refuses one that somebody else laid out. */
function makeOwn(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  const { uid } = userInfo()
  const stat = lstatSync(path)
  if (uid >= 0 && stat.uid !== uid) throw new Error('it belongs to another user')
  if (stat.isSymbolicLink()) throw new Error('it is a symbolic link')
}

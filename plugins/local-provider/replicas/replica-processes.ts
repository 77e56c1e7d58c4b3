import { ProcessLauncher, ProcessRecords, type Clock } from '#core'
import type { StateDirectory } from '../state/state-directory.ts'
import { ReplicaFolders } from './function-processes.ts'

/** All processes of a provider: sidecars, which it starts, and those of functions, which sidecars start and note. */
export class ReplicaProcesses implements Disposable {
  readonly launcher: ProcessLauncher
  readonly folders: ReplicaFolders
  /** Groups that a killed provider had left behind; they were killed. */
  readonly orphans: readonly number[]
  readonly #onExit = (): void => void this.folders.endAll()

  /** @param deps.maxProcesses most sidecars at a time, of all functions together */
  constructor(directory: StateDirectory, deps: { clock: Clock; maxProcesses: number }) {
    this.orphans = endOrphans(directory)
    this.launcher = new ProcessLauncher({ records: new ProcessRecords(directory.processes), ...deps })
    this.folders = new ReplicaFolders(directory.replicas)
    // The last chance when the gateway ends without closing its plugins; sidecars are killed before, the launcher listened first.
    process.on('exit', this.#onExit)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit)
    this.launcher[Symbol.dispose]()
    this.folders.endAll()
  }
}

/**
 * Kills what a provider that was killed has left behind: its sidecars first, so that they start nothing any more, then what they started.
 * Only while no provider has the directory.
 *
 * @returns the groups that were killed
 */
export function endOrphans(directory: StateDirectory): readonly number[] {
  const sidecars = new ProcessRecords(directory.processes).killOrphans()
  return [...sidecars, ...new ReplicaFolders(directory.replicas).endAll()]
}

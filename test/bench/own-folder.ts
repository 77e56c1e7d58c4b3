import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for files of this run. Goes with its owner, and at the latest with this process. */
export class OwnFolder implements Disposable {
  readonly path: string
  readonly #remove = (): void => rmSync(this.path, { recursive: true, force: true })

  /** @param purpose part of its name */
  constructor(purpose: string) {
    this.path = mkdtempSync(join(tmpdir(), `pilotlight-bench-${purpose}-`))
    process.once('exit', this.#remove)
  }

  /** Where a file in it is, or would be. */
  fileNamed(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file in a folder of its own, removed when disposed. */
export interface TemporaryFile extends Disposable {
  readonly path: string
  readonly directory: string
}

/** Writes `content` to a new file called `name`. */
export function temporaryFile(name: string, content: string): TemporaryFile {
  const directory = mkdtempSync(join(tmpdir(), 'pilotlight-test-'))
  const path = join(directory, name)
  writeFileSync(path, content)
  return { path, directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { projectRoot } from './source-files.ts'

/** The example that plugins/README.md shows. */
export const examplePlugin = join(projectRoot, 'test/support/example-plugin/caller-limit.ts')

/** A folder far from this project, as somebody who writes a plugin has one: with zod, without pilotlight. */
export class PluginProject implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'pilotlight-plugin-'))

  constructor() {
    mkdirSync(join(this.directory, 'node_modules'))
    symlinkSync(join(projectRoot, 'node_modules/zod'), join(this.directory, 'node_modules/zod'))
    this.#write('package.json', JSON.stringify({ name: 'gateway-setup', private: true, type: 'module' }))
  }

  /** Puts the example there, as the TypeScript it is. */
  addSource(): void {
    this.#write('caller-limit.ts', readFileSync(examplePlugin, 'utf8'))
  }

  /** Puts any file there. */
  addFile(name: string, text: string): void {
    this.#write(name, text)
  }

  /** Installs the example as a package: JavaScript, exported to `import` alone. */
  addPackage(name: string): void {
    const folder = join('node_modules', name)
    mkdirSync(join(this.directory, folder))
    const exports = { '.': { import: './index.js' } }
    this.#write(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', exports }))
    this.#write(join(folder, 'index.js'), stripTypeScriptTypes(readFileSync(examplePlugin, 'utf8')))
  }

  /** Writes a configuration file and returns its path. */
  configure(settings: Readonly<Record<string, unknown>>): string {
    return this.#write('pilotlight.yaml', stringify(settings))
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  #write(name: string, text: string): string {
    const path = join(this.directory, name)
    writeFileSync(path, text)
    return path
  }
}

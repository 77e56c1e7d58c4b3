import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder with a configuration and plugins of somebody else, removed when disposed. */
export class PluginFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'pilotlight-plugins-'))

  /** Writes a configuration file; returns the arguments that make a gateway read it. */
  configure(configuration: Readonly<Record<string, unknown>>): readonly string[] {
    const path = this.write('pilotlight.yaml', JSON.stringify(configuration)) // JSON is YAML
    return ['start', '--config', path]
  }

  /** Writes a file, creating its folders. */
  write(name: string, content: string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  /** Writes a package as a registry would unpack it: ECMAScript modules, nothing for `require`. */
  installPackage(name: string, content: string): void {
    const folder = `node_modules/${name}`
    this.write(
      `${folder}/package.json`,
      JSON.stringify({ name, type: 'module', exports: { '.': { import: './main.js' } } }),
    )
    this.write(`${folder}/main.js`, content)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Source of a plugin that logs when it is set up, drained and closed. */
export function noisyPlugin(
  name: string,
  { setup = '', dispose = '' }: { setup?: string; dispose?: string } = {},
): string {
  return `
    export default {
      name: '${name}',
      needs: {},
      options: { parse: (options) => options },
      async setup({ log }) {
        ${setup}
        log.info('${name} is set up')
        return {
          task: { start: (signal) => signal.addEventListener('abort', () => log.info('task of ${name} stops')) },
          drain: async () => log.info('${name} drains'),
          [Symbol.asyncDispose]: async () => {
            ${dispose}
            log.info('${name} is closed')
          },
        }
      },
    }`
}

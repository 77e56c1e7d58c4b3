// Compiles the gateway to JavaScript: node deploy/build.ts [folder]. The folder (default `dist`) is a package of its own: it
// runs with `node <folder>/bin/pilotlight.js` wherever the dependencies of package.json are found above it. `dist` is replaced;
// any other folder must be new or empty.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const output = resolve(process.argv[2] ?? join(root, 'dist'))

/** The fields of package.json that hold for the compiled gateway as they are. */
const keptFields = ['name', 'version', 'description', 'license', 'type', 'engines', 'bin', 'dependencies']

/** What the compiler does not carry over. */
const copiedAsTheyAre = ['plugins/ui/assets', 'core/redis/scripts', 'LICENSE']

process.exitCode = build()

function build(): number {
  if (output === join(root, 'dist')) rmSync(output, { recursive: true, force: true })
  else if (existsSync(output) && readdirSync(output).length > 0) {
    process.stderr.write(`${output} is not empty: name a new folder\n`)
    return 2
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const project = join(root, 'tsconfig.build.json')
  const { status } = spawnSync(process.execPath, [compiler, '-p', project, '--outDir', output], { stdio: 'inherit' })
  if (status === 0) complete()
  return status ?? 1
}

function complete(): void {
  for (const path of copiedAsTheyAre) cpSync(join(root, path), join(output, path), { recursive: true })
  chmodSync(join(output, 'bin/pilotlight.js'), 0o755)
  writeFileSync(join(output, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`)
}

/** The doors to core, and the name by which plugins import it, lead to the compiled files instead of the sources. */
function manifest(): Record<string, unknown> {
  const ofSources: Record<string, unknown> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return {
    ...Object.fromEntries(keptFields.map((field) => [field, ofSources[field]])),
    imports: Object.fromEntries(Object.entries(doorsOf(ofSources)).map(([door, path]) => [door, compiled(path)])),
    exports: { '.': { types: './core/index.d.ts', default: './core/index.js' } },
  }
}

function doorsOf({ imports }: Record<string, unknown>): Record<string, string> {
  return imports as Record<string, string> // package.json is ours
}

function compiled(path: string): string {
  return path.replace(/\.ts$/, '.js')
}

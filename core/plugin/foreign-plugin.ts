import { createRequire, registerHooks } from 'node:module'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The name by which plugins outside this project import core. */
const publicName = 'pilotlight'

const door = new URL(`../index${extname(import.meta.url)}`, import.meta.url).href
let isDoorOpen = false

/**
 * Imports a plugin that is not part of this project, by its path (starting with `.` or `/`) or its package name, both seen
 * from `baseDirectory`.
 *
 * In it, `import ... from 'pilotlight'` means the core of this very process, wherever the plugin lies: with a copy of its
 * own it would ask for tokens that nobody provides, and throw errors that core does not know.
 *
 * @throws what resolving or running the module throws
 */
export async function importForeign(use: string, baseDirectory: string): Promise<Readonly<Record<string, unknown>>> {
  openDoor()
  const isPath = use.startsWith('.') || use.startsWith('/')
  const path = isPath ? resolve(baseDirectory, use) : pathOfPackage(use, baseDirectory)
  return import(pathToFileURL(path).href)
}

/** The hook stays for the rest of the process: a plugin may import more of its own files later. */
function openDoor(): void {
  if (isDoorOpen) return
  isDoorOpen = true
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === publicName ? { url: door, shortCircuit: true } : next(specifier, context),
  })
}

/** Resolves as `import` does: many packages export nothing to `require`, and nothing else can resolve from another folder. */
function pathOfPackage(name: string, baseDirectory: string): string {
  const hook = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['import', ...context.conditions.filter((one) => one !== 'require')] }),
  })
  try {
    return createRequire(resolve(baseDirectory, 'package.json')).resolve(name)
  } finally {
    hook.deregister()
  }
}

import { importsOf, type SourceFile } from './source-files.ts'

/** Libraries that only one folder may know, so that they can be replaced there. */
const homes: readonly { readonly library: RegExp; readonly home: string }[] = [
  { library: /^undici$/, home: 'core/http/' },
  { library: /^http-proxy$/, home: 'core/http/' },
  { library: /^ioredis$/, home: 'core/redis/' },
  { library: /^tsyringe$/, home: 'core/container/' },
  { library: /^@opentelemetry\/(?!api$)/, home: 'core/telemetry/' },
]

/** What a sidecar may import of core: it has to stay small. */
const sidecarDoors: ReadonlySet<string> = new Set(['#core/lean', '#core/peers'])

/** What would be a large part of a sidecar's memory. */
const tooLarge = /^(?:#core|zod|pino|commander|yaml|lru-cache|node:https)$/

/** Returns every import that goes in a direction it may not, as `file -> import: rule`. */
export function importViolations(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((target) => {
      const rule = brokenRule(file.path, target)
      return rule === undefined ? [] : [`${file.path} -> ${target}: ${rule}`]
    }),
  )
}

function brokenRule(from: string, target: string): string | undefined {
  const home = homes.find(({ library, home: folder }) => library.test(target) && !from.startsWith(folder))
  if (home !== undefined) return `only ${home.home} knows this library`
  if (from.startsWith('sidecar/')) return ruleOfSidecar(target)
  if (!isInside(target)) return undefined
  if (from.startsWith('core/')) return target.startsWith('core/') ? undefined : 'core knows nothing outside core'
  const own = `${from.split('/').slice(0, 2).join('/')}/`
  return target.startsWith(own) ? undefined : 'a plugin imports only #core and its own folder'
}

function ruleOfSidecar(target: string): string | undefined {
  if (tooLarge.test(target)) return 'the sidecar has to stay small'
  if (!isInside(target) || target.startsWith('sidecar/') || sidecarDoors.has(target)) return undefined
  return 'the sidecar imports only its own files and the doors to core that are made for it'
}

/** Whether an import names a file of the project; packages are free. `#core` is the one door between the folders. */
function isInside(target: string): boolean {
  return (
    target !== '#core' &&
    /^(?:\.\.|core|plugins|sidecar|test|bin|deploy|#|\/)/.test(target) &&
    !target.startsWith('node:')
  )
}

import { importsOf, type SourceFile } from './source-files.ts'

/** Libraries that only one folder may know, so that they can be replaced there. */
const homes: readonly { readonly library: RegExp; readonly home: string }[] = [
  { library: /^undici$/, home: 'core/http/' },
  { library: /^http-proxy$/, home: 'core/http/' },
  { library: /^ioredis$/, home: 'core/redis/' },
  { library: /^tsyringe$/, home: 'core/container/' },
  { library: /^@opentelemetry\/(?!api$)/, home: 'core/telemetry/' },
]

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
  if (!isInside(target)) return undefined
  if (from.startsWith('core/')) return target.startsWith('core/') ? undefined : 'core knows nothing outside core'
  const own = from.startsWith('plugins/') ? from.split('/').slice(0, 2).join('/') : 'sidecar'
  if (target.startsWith(`${own}/`)) return undefined
  return own === 'sidecar'
    ? 'the sidecar imports only #core and its own files'
    : 'a plugin imports only #core and its own folder'
}

/** Whether an import names a file of the project; packages are free. `#core` is the one door between the folders. */
function isInside(target: string): boolean {
  return (
    target !== '#core' &&
    /^(?:\.\.|core|plugins|sidecar|test|bin|deploy|#|\/)/.test(target) &&
    !target.startsWith('node:')
  )
}

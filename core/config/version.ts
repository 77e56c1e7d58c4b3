import { readFileSync } from 'node:fs'

/**
 * Returns the version of this program, as its package.json says.
 * @throws Error when there is none in the folders above: an incomplete installation
 */
export function programVersion(): string {
  // From the sources the file is two folders up, from the compiled `dist` three.
  for (const path of ['../../package.json', '../../../package.json']) {
    const version = versionIn(new URL(path, import.meta.url))
    if (version !== undefined) return version
  }
  throw new Error('package.json of pilotlight not found: the installation is incomplete')
}

function versionIn(file: URL): string | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const isOurs = typeof content === 'object' && content !== null && 'name' in content && content.name === 'pilotlight'
    return isOurs && 'version' in content ? String(content.version) : undefined
  } catch {
    return undefined
  }
}

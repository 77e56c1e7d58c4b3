import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { join, normalize, dirname, relative } from 'node:path'

/** A TypeScript file of the project. */
export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string
  readonly text: string
}

/** The root of the project. */
export const projectRoot = join(import.meta.dirname, '../..')

/** Reads every TypeScript file of the named top folders; a folder that does not exist has none. */
export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(projectRoot, folder)))
    .flatMap((folder) =>
      readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
        .map((name) => join(projectRoot, folder, name)),
    )
    .toSorted()
    .map((file) => ({ path: relative(projectRoot, file), text: readFileSync(file, 'utf8') }))
}

const staticImport = /^\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]/gm
const bareImport = /^\s*import\s*['"]([^'"]+)['"]/gm
const dynamicImport = /\bimport\(\s*['"]([^'"]+)['"]/g

/**
 * Returns what a file imports, types included: paths from the root of the project for relative imports, else the name as
 * written (`#core`, `node:fs`, `undici`).
 */
export function importsOf(file: SourceFile): readonly string[] {
  const names = [staticImport, bareImport, dynamicImport].flatMap((pattern) =>
    [...file.text.matchAll(pattern)].map((match) => match[1] ?? ''),
  )
  return names.map((name) => (name.startsWith('.') ? normalize(join(dirname(file.path), name)) : name))
}

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as core from '../../core/index.ts'
import { defaultPlugins } from '../../core/config/default-plugins.ts'
import { environmentVariables } from '../../core/config/environment-variables.ts'
import { fileSchema } from '../../core/config/schema.ts'
import { anchorsOf, codeBlocks, document, documents, section, tableRows } from '../support/documents.ts'
import { projectRoot } from '../support/source-files.ts'

describe('the pages of the documentation', () => {
  it('link only to what is there', () => {
    const pages = documents()

    expect(pages.length).toBeGreaterThan(8)
    expect(pages.flatMap(brokenLinks)).toEqual([])
  })

  it('name only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))

    expect(namedIn(/\bnpm run ([\w:]+)/g).filter((name) => !(name in scripts))).toEqual([])
  })

  it('name only programs that are there', () => {
    const programs = namedIn(/\bnode ((?:test|deploy)\/[\w./-]+\.m?ts)/g)

    expect(programs).toContain('deploy/build.ts')
    expect(programs.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([])
  })

  it('would be found to have a broken link', () => {
    const text = '[a](no-such-file.md) [b](README.md#no-such-heading) [c](README.md) [d](https://example.com/)'

    expect(brokenLinks({ path: 'page.md', text })).toEqual([
      'page.md: no-such-file.md',
      'page.md: README.md#no-such-heading',
    ])
  })
})

/** What the first group of `pattern` finds in all pages. */
function namedIn(pattern: RegExp): readonly string[] {
  return documents().flatMap(({ text }) => [...text.matchAll(pattern)].map(([, name = '']) => name))
}

function brokenLinks({ path, text }: { path: string; text: string }): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return targets
    .filter((target) => !/^https?:/.test(target) && !leadsSomewhere(path, target))
    .map((target) => `${path}: ${target}`)
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? from : normalize(join(dirname(from), file))
  if (!existsSync(join(projectRoot, path))) return false
  return anchor === undefined || anchorsOf(document(path)).has(anchor)
}

describe('README.md', () => {
  const page = document('README.md')

  it('names every key of the configuration file that has no variable of its own', () => {
    const named = new Set(environmentVariables.map(({ name }) => camelCase(name)))
    const missing = Object.keys(fileSchema.shape).filter(
      (key) => !named.has(key) && !section(page, '## Configuration').includes(`| \`${key}\` |`),
    )

    expect(missing).toEqual([])
  })

  it('names no key that there is not', () => {
    const keys = tableRows(section(page, '## Configuration').split('<!-- table:env -->')[0] ?? '').map(([key = '']) =>
      key.replaceAll('`', ''),
    )

    expect(keys.length).toBeGreaterThan(5)
    expect(keys.filter((key) => !(key in fileSchema.shape))).toEqual([])
  })
})

function camelCase(variable: string): string {
  return variable
    .replace(/^PILOTLIGHT_/, '')
    .toLowerCase()
    .replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

describe('plugins/README.md', () => {
  const page = document('plugins/README.md')
  const firstColumn = (heading: string): readonly string[] =>
    tableRows(section(page, heading)).map(([cell = '']) => cell.replaceAll('`', ''))

  it('lists the plugins of the default list, in its order', () => {
    const [plugins = ''] = page.text.split('\nThese run, in this order')

    expect(tableRows(plugins).map(([cell = '']) => /^\[([\w-]+)\]/.exec(cell)?.[1])).toEqual([...defaultPlugins])
  })

  it('lists the stages, in their order', () => {
    expect(firstColumn('## Stages of the function path')).toEqual([...core.stages])
  })

  it('lists every token that a plugin can need', () => {
    const tokens = Object.entries(core).filter(([, value]) => typeof value === 'symbol')

    expect(firstColumn('## What a plugin can need').toSorted()).toEqual(tokens.map(([name]) => name).toSorted())
  })

  it('shows one whole plugin', () => {
    expect(codeBlocks(page.text, 'ts')).toHaveLength(1)
  })
})

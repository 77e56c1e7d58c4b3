import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultPlugins } from '../../core/config/default-plugins.ts'
import { undocumentedExports } from '../support/doc-comments.ts'
import { importPlugin, optionsOf, pluginFolders } from '../support/plugin-options.ts'
import { markedTable, referenceTables } from '../support/reference-tables.ts'
import { projectRoot, sourceFiles } from '../support/source-files.ts'

describe('every export', () => {
  it('has a doc comment in core, plugins and sidecar', () => {
    const files = sourceFiles('core', 'plugins', 'sidecar')

    expect(files.length).toBeGreaterThan(40)
    expect(undocumentedExports(files)).toEqual([])
  })

  it.each([
    ['a bare export', 'export const a = 1', 1],
    ['a bare async function', '\nexport async function a(): Promise<void> {}', 1],
    ['a bare default class', 'export default class A {}', 1],
    ['a documented export', '/** A. */\nexport const a = 1', 0],
    ['a documented interface, over several lines', '/**\n * A.\n */\nexport interface A {}', 0],
    ['an overload below a documented one', '/** A. */\nexport function a(x: 1): 1\nexport function a(x: 2): 2', 0],
    ['a re-export', "export { a } from './a.ts'", 0],
  ])('is judged rightly: %s', (_, text, count) => {
    expect(undocumentedExports([{ path: 'core/a.ts', text }])).toHaveLength(count)
  })
})

describe('the tables of the documentation', () => {
  it.each([
    ['README.md', 'env'],
    ['README.md', 'errors'],
    ['plugins/README.md', 'options'],
  ])('%s has the table "%s" as the code has it (node test/support/update-tables.ts)', async (document, name) => {
    const path = join(projectRoot, document)

    const written = existsSync(path) ? markedTable(readFileSync(path, 'utf8'), name)?.text : undefined

    expect(written).toBe(await referenceTables[name]?.())
  })
})

describe('every plugin of the project', () => {
  it('of the default list has its folder', () => {
    expect(defaultPlugins.filter((name) => !pluginFolders().includes(name))).toEqual([])
  })

  it.each(pluginFolders())('is named like its folder and documents its options: %s', async (folder) => {
    const plugin = await importPlugin(folder)
    const options = await optionsOf(folder)

    expect(plugin.name).toBe(folder)
    expect(options.filter((option) => option.meaning === '').map((option) => option.option)).toEqual([])
  })
})

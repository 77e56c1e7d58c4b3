import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runNode } from '../support/run-process.ts'
import { projectRoot } from '../support/source-files.ts'

const reporter = join(projectRoot, 'test/support/plain-summary-reporter.ts')
const passing = "import { it } from 'vitest'\nit('passes', () => {})\n"

describe('the last line of a test run', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pilotlight-run-'))
    symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'vitest.config.ts'), 'export default {}\n')
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  it.each([
    ['nothing but passes', passing, '1 passed, 0 failed', 0],
    ['a skip', `${passing}it.skip('is left out', () => {})`, '1 passed, 0 failed, 1 skipped', 0],
    ['a failure', `${passing}it('fails', () => { throw new Error('no') })`, '1 passed, 1 failed', 1],
    ['a file that does not load', "throw new Error('no')", '0 passed, 1 failed', 1],
    ['an error outside of tests', `${passing}setImmediate(() => { throw new Error('late') })`, '1 passed, 1 failed', 1],
    ['no test at all', undefined, '0 passed, 1 failed', 1],
  ])('counts %s', async (_, content, expected, code) => {
    if (content !== undefined) writeFileSync(join(folder, 'a.test.ts'), content)

    const args = ['run', '--root', folder, '--reporter', 'default', '--reporter', reporter]
    const finished = await runNode([join(projectRoot, 'node_modules/vitest/vitest.mjs'), ...args])

    expect(finished.stdout.trimEnd().split('\n').at(-1)).toBe(expected)
    expect(finished.code).toBe(code)
  })
})

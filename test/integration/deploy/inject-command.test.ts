import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runNode } from '../../support/run-process.ts'
import { projectRoot } from '../../support/source-files.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

const program = join(projectRoot, 'bin/pilotlight.js')
const plain = join(projectRoot, 'test/unit/inject/function.yaml')

describe('pilotlight inject', () => {
  it('writes manifests to its output and notes to the error output', async () => {
    const { code, stdout, stderr } = await runNode([program, 'inject', '--classic', '--image', 'mine:1', '-f', plain])

    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('hello.openfaas-fn: ') })
    expect(stdout).toContain('image: mine:1')
  })

  it('writes nothing when it refuses', async () => {
    using file = temporaryFile('a.yaml', `${readFileSync(plain, 'utf8')}---\na: [1,\n`)

    expect(await runNode([program, 'inject', '--file', file.path])).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^line \d+, column 1: .+\n$/),
    })
  })

  it('explains itself', async () => {
    const { code, stdout } = await runNode([program, 'inject', '--help'])

    expect(code).toBe(0)
    expect(stdout).toContain('kubectl')
  })

  it.each([
    [['--native', '--classic'], 'choose one'],
    [['--gateways', 'http://a:b@gateway'], 'a name or a password'],
    [['--gateways', ''], 'expected a URL'],
    [['--key-secret', 'a b'], '--key-secret'],
    [['--image', ''], '--image'],
    [['--function-port', '0'], '--function-port'],
    [['--file', '/no/such/file'], 'ENOENT'],
    [['--typo'], 'unknown option'],
    [['more'], 'too many arguments'],
  ])('refuses %j', async (args, reason) => {
    expect(await runNode([program, 'inject', ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(reason),
    })
  })
})

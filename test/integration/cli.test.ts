import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runNode, type RunOptions } from '../support/run-process.ts'
import { projectRoot } from '../support/source-files.ts'
import { temporaryFile } from '../support/temporary-file.ts'

const pilotlight = (args: readonly string[], options?: RunOptions) =>
  runNode([join(projectRoot, 'bin/pilotlight.js'), ...args], options)

describe('the pilotlight command', () => {
  it('says that a configuration can be used and exits 0', async () => {
    using file = temporaryFile('pilotlight.yaml', 'port: 0\n')

    const finished = await pilotlight(['--check-config', '--config', 'pilotlight.yaml'], { cwd: file.directory })

    expect(finished).toEqual({ code: 0, stdout: 'configuration ok\n', stderr: '' })
  })

  it('lists every fault of file and environment on stderr, starts nothing, and exits 2', async () => {
    using file = temporaryFile('pilotlight.yaml', 'port: high\n')

    const finished = await pilotlight(['start', '--config', file.path], { env: { PILOTLIGHT_ENGINE: 'steam' } })

    expect(finished).toEqual({
      code: 2,
      stdout: '',
      stderr: [
        'configuration is invalid, 2 faults:',
        `  ${file.path}:1: port: Invalid input: expected number, received string`,
        '  environment: PILOTLIGHT_ENGINE: Invalid option: expected one of "h1"|"undici"|"http-proxy"',
        '',
      ].join('\n'),
    })
  })

  it('prints a configuration that it accepts again', async () => {
    const env = { functions_provider_url: 'http://127.0.0.1:1', read_timeout: '65s' }

    const printed = await pilotlight(['--print-config'], { env })
    using file = temporaryFile('printed.yaml', printed.stdout)
    const again = await pilotlight(['--print-config', '--config', file.path])

    expect(printed).toMatchObject({ code: 0, stderr: '' })
    expect(printed.stdout).toContain('readTimeout: 1m5s')
    expect(again).toEqual(printed)
  })

  it('exits 2 for a flag that it does not know', async () => {
    const finished = await pilotlight(['--prot', '8080'])

    expect(finished).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: unknown option '--prot'\n(Did you mean --port?)\n",
    })
  })

  it('prints its help and exits 0', async () => {
    const finished = await pilotlight(['--help'])

    expect(finished).toMatchObject({ code: 0, stderr: '' })
    expect(finished.stdout).toContain('Usage: pilotlight')
  })
})

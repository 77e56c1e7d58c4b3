import { describe, expect, it } from 'vitest'
import { decide } from '../../core/cli.ts'
import { environmentVariables } from '../../core/config/environment-variables.ts'

const run = (...argv: string[]) => decide({ argv, env: {}, cwd: '/nonexistent' })

function exit(...argv: string[]) {
  const decision = run(...argv)
  if (decision.action !== 'exit') throw new Error('it would start')
  return decision
}

describe('the command line', () => {
  it.each([[[]], [['start']]])('starts the gateway for %j', (argv) => {
    expect(run(...argv)).toMatchObject({ action: 'start', config: { port: 8080 } })
  })

  it('sets what its flags say', () => {
    const flags = [
      '--host',
      '::1',
      '--port',
      '0',
      '--metrics-port=9',
      '--provider-url',
      'http://p',
      '--log-level',
      'error',
    ]

    expect(run('start', ...flags, '--log-format', 'json')).toMatchObject({
      action: 'start',
      config: {
        host: '::1',
        port: 0,
        metricsPort: 9,
        functionsProviderUrl: new URL('http://p/'),
        logLevel: 'error',
        logFormat: 'json',
      },
    })
  })

  it.each([
    ['an unknown flag', ['--prot', '1'], "unknown option '--prot'\n(Did you mean --port?)"],
    ['an unknown command', ['stop'], 'Allowed choices are start'],
    ['a second command', ['start', 'start'], 'too many arguments'],
    ['a flag without its value', ['--port'], 'argument missing'],
    ['a value that does not fit', ['--port', '99999'], 'flag: --port: Too big'],
    ['a file that does not exist', ['--config', 'gone.yaml'], 'gone.yaml: cannot be read (ENOENT)'],
    ['a fault with --print-config', ['--print-config', '--port', 'x'], 'flag: --port: expected an integer'],
    ['a fault with --check-config', ['--check-config', '--port', 'x'], 'flag: --port: expected an integer'],
  ])('exits 2 for %s and says so on stderr', (_, argv, text) => {
    const decision = exit(...argv)

    expect(decision).toMatchObject({ code: 2, stdout: '' })
    expect(decision.stderr).toContain(text)
  })

  it('says that a configuration can be used', () => {
    expect(exit('--check-config')).toEqual({ action: 'exit', code: 0, stdout: 'configuration ok\n', stderr: '' })
  })

  it('prints the effective configuration, credentials masked', () => {
    const decision = exit('--print-config', '--provider-url', 'http://user:secret@provider')

    expect(decision.code).toBe(0)
    expect(decision.stdout).toContain('functionsProviderUrl: http://***@provider/')
    expect(decision.stdout).not.toContain('secret@')
  })

  it('prints its version', () => {
    expect(exit('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  it('explains its flags, the precedence, every variable, and where the documentation is', () => {
    const { code, stdout } = exit('--help')

    expect(code).toBe(0)
    for (const flag of [
      '--config',
      '--host',
      '--port',
      '--metrics-port',
      '--provider-url',
      '--log-level',
      '--log-format',
    ]) {
      expect(stdout).toContain(`${flag} <`)
    }
    for (const { name } of environmentVariables) expect(stdout).toContain(`  ${name} `)
    expect(stdout).toContain('A flag wins over the configuration file, the file over the environment')
    expect(stdout).toContain('README.md')
  })
})

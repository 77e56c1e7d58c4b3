import { describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../core/config/config-file.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

function read(content: string) {
  using file = temporaryFile('pilotlight.yaml', content)
  return readConfigFile(file.path, 'pilotlight.yaml')
}

function faultsOf(content: string): string[] {
  return read(content).faults.map(({ where, text }) => `${where}: ${text}`)
}

describe('readConfigFile', () => {
  it('reads every kind of setting', () => {
    const content = `
port: 0
functionsProviderUrl: http://provider:8081
readTimeout: 1m5s
holdTimeout: 30
scaleFromZero: false
prometheusUrl: null
engine: http-proxy
plugins:
  - auth
  - use: ./mine.ts
    options: { a: 1 }
pluginOptions:
  auth: { b: 2 }
`

    expect(read(content)).toEqual({
      settings: {
        port: 0,
        functionsProviderUrl: new URL('http://provider:8081/'),
        readTimeout: 65_000,
        holdTimeout: 30_000,
        scaleFromZero: false,
        prometheusUrl: null,
        engine: 'http-proxy',
        plugins: [{ use: 'auth' }, { use: './mine.ts', options: { a: 1 } }],
        pluginOptions: { auth: { b: 2 } },
      },
      faults: [],
    })
  })

  it.each(['', '\n', '# nothing\n', '---\n', '{}'])('takes the empty file %j as no settings', (content) => {
    expect(read(content)).toEqual({ settings: {}, faults: [] })
  })

  it('lists every fault with its line and path, in the order of the file', () => {
    const content = `port: 99999
hosst: 1
readTimeout: soon
scaleFromZero: 'true'
functionsProviderUrl: ftp://user:secret@provider
plugins:
  - auth
  - use: ui
    optionz: 1
  - 5
logLevel: trace
workers: many
redisUrl: redis://:secret@redis/zero
redisPrefix: a{b}
redisTimeout: 1ms
leaseTtl: 2m
`

    expect(faultsOf(content)).toEqual([
      'pilotlight.yaml:1: port: Too big: expected number to be <=65535',
      'pilotlight.yaml:2: hosst: unknown key',
      'pilotlight.yaml:3: readTimeout: expected a duration such as "30s", "1m30s" or an integer of seconds, got "soon"',
      'pilotlight.yaml:4: scaleFromZero: Invalid input: expected boolean, received string',
      'pilotlight.yaml:5: functionsProviderUrl: expected an http or https URL, got "ftp://***@provider"',
      'pilotlight.yaml:9: plugins[1].optionz: unknown key',
      'pilotlight.yaml:10: plugins[2]: expected the name of a plugin or an object with "use" and "options"',
      'pilotlight.yaml:11: logLevel: Invalid option: expected one of "debug"|"info"|"warn"|"error"|"silent"',
      'pilotlight.yaml:12: workers: expected "auto" or a number from 1 to 128, got "many"',
      'pilotlight.yaml:13: redisUrl: the database is not a number',
      'pilotlight.yaml:14: redisPrefix: expected 1 to 64 letters, digits, dots, colons, hyphens or underscores',
      'pilotlight.yaml:15: redisTimeout: expected a duration from 10ms to 10s',
      'pilotlight.yaml:16: leaseTtl: expected a duration from 200ms to 1m0s',
    ])
  })

  it.each([
    ['a bracket that is not closed', 'port: 1\nplugins: [a\nhost: b\n', /^pilotlight\.yaml:\d: not valid YAML: /],
    ['a key given twice', 'port: 1\nport: 2\n', /^pilotlight\.yaml:2: not valid YAML: Map keys must be unique$/],
    ['an unknown tag', 'port: !secret x\n', /^pilotlight\.yaml:1: not valid YAML: Unresolved tag/],
    ['an unknown alias', 'port: *x\n', /^pilotlight\.yaml: not valid YAML: Unresolved alias/],
    [
      'two documents',
      'port: 1\n---\nport: 2\n',
      /^pilotlight\.yaml:2: not valid YAML: Source contains multiple documents/,
    ],
    ['a list', '- port\n', /^pilotlight\.yaml: Invalid input: expected object, received array$/],
    ['binary rubbish', '\u0000\u0001\u0002', /^pilotlight\.yaml/],
  ])('refuses %s', (_, content, expected) => {
    expect(faultsOf(content)[0]).toMatch(expected)
  })

  it('refuses aliases that multiply beyond all bounds, at once', () => {
    const levels = Array.from({ length: 9 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`)
    const content = ['a0: &a0 [x]', ...levels].join('\n')

    expect(faultsOf(content)).toEqual([expect.stringContaining('Excessive alias count')])
  })

  it.each([
    ['a file that does not exist', '/nonexistent/pilotlight.yaml', 'ENOENT'],
    ['a folder', '/', 'EISDIR'],
  ])('refuses %s', (_, path, code) => {
    expect(readConfigFile(path, 'mine.yaml')).toEqual({
      settings: {},
      faults: [{ where: 'mine.yaml', text: `cannot be read (${code})` }],
    })
  })
})

import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../core/config/gateway-config.ts'
import { loadConfig } from '../../../core/config/load-config.ts'
import { printConfig } from '../../../core/config/print-config.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

function load(env: Readonly<Record<string, string>> = {}): GatewayConfig {
  return loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: '/' })
}

describe('the key that sidecars sign with', () => {
  it('is read from its file, without the end of the line', () => {
    using file = temporaryFile('key', 'a key of many letters\n')

    const { instanceKey, isInstanceKeyRandom } = load({ PILOTLIGHT_INSTANCE_KEY_FILE: file.path })

    expect([instanceKey, isInstanceKeyRandom]).toEqual(['a key of many letters', false])
  })

  it('stays the same when the configuration is read again, where it is made up', () => {
    expect(load().instanceKey).toBe(load().instanceKey)
    expect(load().isInstanceKeyRandom).toBe(true)
  })

  it('is not printed where it is made up', () => {
    expect(printConfig(load())).not.toContain('instanceKey')
  })

  it.each([
    ['is too short', 'short\n', /^  settings: instanceKeyFile: \S+\/key: expected a key of at least 16 characters$/m],
    ['is empty', '', /instanceKeyFile: .* at least 16/],
  ])('is refused when the one in the file %s', (_, content, expected) => {
    using file = temporaryFile('key', content)

    expect(() => load({ PILOTLIGHT_INSTANCE_KEY_FILE: file.path })).toThrow(expected)
  })

  it('is told to be missing when its file is', () => {
    expect(() => load({ PILOTLIGHT_INSTANCE_KEY_FILE: '/nowhere/key' })).toThrow(
      /instanceKeyFile: \/nowhere\/key cannot be read \(ENOENT\)/,
    )
  })

  it('is refused when it is given twice', () => {
    using file = temporaryFile('key', 'a key of many letters')
    const env = { PILOTLIGHT_INSTANCE_KEY: 'another key of many letters', PILOTLIGHT_INSTANCE_KEY_FILE: file.path }

    expect(() => load(env)).toThrow(/give the key itself or its file, not both/)
  })
})

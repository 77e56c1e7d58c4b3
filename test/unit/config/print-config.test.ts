import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../core/config/load-config.ts'
import { printConfig } from '../../../core/config/print-config.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

function load(content: string, env: Record<string, string> = {}) {
  using file = temporaryFile('pilotlight.yaml', content)
  return loadConfig({ argvConfigPath: file.path, flags: {}, env, cwd: '/' })
}

describe('printConfig', () => {
  it.each([
    ['the defaults', '', {}],
    ['a provider', 'functionsProviderUrl: http://provider:8081/base\nreadTimeout: 90', {}],
    ['forward proxies', 'httpProxy: http://proxy:3128\nnoProxy: .internal,10.0.0.0/8', { https_proxy: 'proxy' }],
    ['no Prometheus beside a provider', 'functionsProviderUrl: http://p\nprometheusUrl: null', {}],
    ['plugins with options', 'plugins: [{ use: ./a.ts, options: { list: [1, { b: x }] } }, auth]', {}],
    ['a fleet', 'redisUrl: redis+cluster://a:7000,b\nredisPrefix: x\nredisTimeout: 50ms\nleaseTtl: 2s', {}],
    ['networks of instances', 'instanceNetworks: [10.0.0.0/8, "fd00::1"]\ninstanceTtl: 5s', {}],
    ['settings of the environment', '', { write_timeout: '1h', PILOTLIGHT_HOLD_TIMEOUT: '10ms', basic_auth: 'true' }],
  ])('writes %s as a file that loads to the same configuration', (_, content, env) => {
    const config = load(content, env)

    const again = load(printConfig(config))

    expect({ ...again, baseDirectory: '' }).toEqual({ ...config, baseDirectory: '' })
  })

  it('masks credentials in URLs and whatever has the name of a secret', () => {
    const config = load(`
functionsProviderUrl: http://user:hunter2@provider:8081/
prometheusUrl: http://hunter2@prom:9090
instanceKey: hunter2-hunter2-hunter2
httpProxy: http://user:hunter2@proxy:3128
httpsProxy: user:hunter2@proxy
plugins:
  - use: ./mine.ts
    options:
      clientSecret: hunter2
      nested: [{ api_key: hunter2, upstream: 'amqp://a:hunter2@b' }]
      token: 12345
      tokenFile: /run/token
      emptyPassword: ''
`)

    const printed = printConfig(config)

    expect(printed).not.toContain('hunter2')
    expect(printed).not.toContain('12345')
    expect(printed).toContain('functionsProviderUrl: http://***@provider:8081/')
    expect(printed).toContain('httpProxy: http://***@proxy:3128/')
    expect(printed).toContain('instanceKey: "***"')
    expect(printed).toContain('tokenFile: /run/token')
    expect(printed).toContain('emptyPassword: ""')
    expect(printed).toContain('secretMountPath: /run/secrets/')
  })

  it.each([
    ['redis://:hunter2@redis:6379/1', 'redis://***@redis:6379/1'],
    ['redis+cluster://user:hunter2@a:7000,b:7001', 'redis+cluster://***@a:7000,b:7001'],
    [
      'redis+sentinel://user:hunter2@a,b/main?sentinel_username=s&sentinel_password=hunter2',
      'redis+sentinel://***@a,b/main?sentinel_username=s&sentinel_password=***',
    ],
  ])('masks the credentials of %s', (redisUrl, expected) => {
    const printed = printConfig(load(`redisUrl: ${redisUrl}`))

    expect(printed).not.toContain('hunter2')
    expect(printed).toContain(`redisUrl: ${expected}\n`)
  })

  it('writes durations as Go text under the keys of the file', () => {
    const printed = printConfig(load('readTimeout: 90'))

    expect(printed).toContain('readTimeout: 1m30s')
    expect(printed).not.toContain('Ms:')
  })
})

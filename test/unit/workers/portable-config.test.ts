import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../core/config/load-config.ts'
import { fromPortable, toPortable } from '../../../core/workers/portable-config.ts'

describe('a configuration that travels to another process', () => {
  it.each([
    ['of the defaults', {}],
    [
      'with everything that is a URL',
      {
        functions_provider_url: 'http://user:pass@provider:8081/base',
        logs_provider_url: 'https://logs/',
        faas_prometheus_host: 'prometheus',
        HTTP_PROXY: 'http://proxy:3128',
        HTTPS_PROXY: 'proxy:3129',
        PILOTLIGHT_REDIS_URL: 'redis://redis',
      },
    ],
  ])('arrives as it was: %s', (_, env) => {
    const config = loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: '/' })

    const arrived = fromPortable(structuredClone(toPortable(config)))

    expect(arrived).toEqual(config)
    expect(arrived.functionsProviderUrl).toEqual(config.functionsProviderUrl)
  })
})

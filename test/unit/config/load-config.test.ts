import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../core/config/gateway-config.ts'
import { loadConfig, type ConfigSources } from '../../../core/config/load-config.ts'
import { GatewayError } from '../../../core/errors/gateway-error.ts'
import { temporaryFile } from '../../support/temporary-file.ts'
import { testCertificate, testKey } from '../../support/test-certificate.ts'

function load(sources: Partial<ConfigSources> & { readonly file?: string } = {}): GatewayConfig {
  const { file: content, ...given } = sources
  const rest = { argvConfigPath: undefined, flags: {}, env: {}, cwd: '/somewhere', ...given }
  if (content === undefined) return loadConfig(rest)
  using file = temporaryFile('pilotlight.yaml', content)
  return loadConfig({ ...rest, argvConfigPath: file.path })
}

function faultsOf(sources: Parameters<typeof load>[0]): string[] {
  try {
    load(sources)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    expect(error.code).toBe('config_invalid')
    const [first, ...faults] = error.message.split('\n')
    expect(first).toBe(`configuration is invalid, ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}:`)
    return faults.map((line) => line.trim().replace(/\/\S*\/pilotlight\.yaml/, 'FILE'))
  }
  throw new Error('the configuration was accepted')
}

const namesOf = (config: GatewayConfig) => config.plugins.map((entry) => entry.use)

describe('loadConfig', () => {
  it.each([
    ['loopback with the embedded provider, whose API runs programs', {}, '127.0.0.1'],
    ['all interfaces with basic auth', { basic_auth: 'true' }, ''],
    ['all interfaces with a provider of its own', { functions_provider_url: 'http://provider:8081' }, ''],
    ['what it is told', { PILOTLIGHT_HOST: '0.0.0.0' }, '0.0.0.0'],
  ])('listens on %s', (_, env, host) => {
    expect(loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: '/' }).host).toBe(host)
  })

  it('starts one gateway with the embedded provider when nobody says anything', () => {
    expect(load()).toEqual({
      host: '127.0.0.1',
      port: 8080,
      metricsPort: 8082,
      functionsProviderUrl: undefined,
      logsProviderUrl: undefined,
      readTimeoutMs: 60_000,
      writeTimeoutMs: 60_000,
      upstreamTimeoutMs: 60_000,
      functionNamespace: 'openfaas-fn',
      scaleFromZero: true,
      basicAuth: false,
      secretMountPath: '/run/secrets/',
      prometheusUrl: undefined,
      httpProxy: undefined,
      httpsProxy: undefined,
      noProxy: '',
      maxConnectionsPerUpstream: 1024,
      writeRequestUri: false,
      redisUrl: '',
      redisPrefix: 'pilotlight',
      redisTimeoutMs: 100,
      leaseTtlMs: 1_500,
      instanceKey: expect.stringMatching(/^[-\w]{43}$/),
      isInstanceKeyRandom: true,
      instanceNetworks: [
        '127.0.0.0/8',
        '10.0.0.0/8',
        '172.16.0.0/12',
        '192.168.0.0/16',
        '100.64.0.0/10',
        '::1/128',
        'fc00::/7',
      ],
      instanceTtlMs: 10_000,
      instanceTls: '',
      workers: 1,
      holdTimeoutMs: 60_000,
      quietPeriodMs: 5_000,
      gracePeriodMs: 30_000,
      engine: 'h1',
      maxHeaderBytes: 1_048_576,
      maxHeaderLines: 1_000,
      replayBodyBytes: 65_536,
      trustForwarded: true,
      logLevel: 'info',
      logFormat: 'text',
      pluginSetupTimeoutMs: 10_000,
      plugins: [
        'local-provider',
        'provider-client',
        'auth',
        'notifier',
        'scale-from-zero',
        'instances',
        'add-metrics',
        'alert-scaler',
        'readiness-push',
        'system-api',
        'ui',
      ].map((use) => ({ use, options: {} })),
      notices: [],
      baseDirectory: '/somewhere',
    })
  })

  it('takes OpenFaaS defaults beside a provider of somebody else', () => {
    const config = load({ env: { functions_provider_url: 'http://provider:8081' } })

    expect(config.functionNamespace).toBe('')
    expect(config.prometheusUrl?.href).toBe('http://prometheus:9090/')
    expect(namesOf(config)).not.toContain('local-provider')
    expect(namesOf(config)[0]).toBe('provider-client')
  })

  it('keeps a Prometheus that is named, with the embedded provider too', () => {
    expect(load({ env: { faas_prometheus_host: 'prom' } }).prometheusUrl?.href).toBe('http://prom:9090/')
  })

  it('uses no Prometheus when the file says null', () => {
    const env = { functions_provider_url: 'http://provider:8081' }

    expect(load({ env, file: 'prometheusUrl: null' }).prometheusUrl).toBeUndefined()
  })

  it('leaves scale-from-zero out when waking is off', () => {
    expect(namesOf(load({ env: { scale_from_zero: 'false' } }))).not.toContain('scale-from-zero')
  })

  describe('precedence', () => {
    const env = { PILOTLIGHT_PORT: '1', PILOTLIGHT_METRICS_PORT: '1', PILOTLIGHT_LOG_LEVEL: 'warn' }
    const file = 'port: 2\nmetricsPort: 2\n'

    it('is flag, then file, then environment, then default', () => {
      const config = load({ env, file, flags: { port: '3' } })

      expect(config.port).toBe(3)
      expect(config.metricsPort).toBe(2)
      expect(config.logLevel).toBe('warn')
      expect(config.logFormat).toBe('text')
    })

    it('lets --config win over PILOTLIGHT_CONFIG', () => {
      expect(load({ env: { PILOTLIGHT_CONFIG: '/nonexistent' }, file }).port).toBe(2)
    })

    it('reads the file that PILOTLIGHT_CONFIG names, relative to the working folder', () => {
      using written = temporaryFile('mine.yaml', 'port: 4')

      const config = load({ env: { PILOTLIGHT_CONFIG: 'mine.yaml' }, cwd: written.directory })

      expect(config.port).toBe(4)
      expect(config.baseDirectory).toBe(written.directory)
    })
  })

  describe('plugins', () => {
    it('of the file replace the default list', () => {
      const file = 'plugins:\n  - provider-client\n  - use: ./mine.ts\n    options: { a: 1 }\n'

      expect(load({ file }).plugins).toEqual([
        { use: 'provider-client', options: {} },
        { use: './mine.ts', options: { a: 1 } },
      ])
    })

    it('take options by name without a new list', () => {
      const config = load({ file: 'pluginOptions: { auth: { reloadIntervalMs: 5 } }' })

      expect(config.plugins).toHaveLength(11)
      expect(config.plugins.find((entry) => entry.use === 'auth')?.options).toEqual({ reloadIntervalMs: 5 })
    })

    it('may have options for a default plugin that is left out', () => {
      const sources = { env: { scale_from_zero: 'false' }, file: 'pluginOptions: { scale-from-zero: { a: 1 } }' }

      expect(namesOf(load(sources))).not.toContain('scale-from-zero')
    })

    it('may not have options for a name that no list has', () => {
      expect(faultsOf({ file: 'pluginOptions: { scale-form-zero: {} }' })).toEqual([
        expect.stringMatching(/^FILE: pluginOptions\.scale-form-zero: no such plugin; the list has local-provider, /),
      ])
    })

    it('may not have options in two places', () => {
      const file = 'plugins: [{ use: auth, options: { a: 1 } }]\npluginOptions: { auth: { a: 2 } }'

      expect(faultsOf({ file })).toEqual(['FILE: pluginOptions.auth: the list of plugins gives options too; keep one'])
    })
  })

  it('gathers the faults of flags, file and environment in one message', () => {
    const env = { PILOTLIGHT_PORT: 'x', PILOTLIGHT_NOPE: '1', functions_provider_url: '::', max_idle_conns: 'z' }

    expect(faultsOf({ env, flags: { 'log-level': 'loud', port: '' }, file: 'port: x\nfoo: 1\n' })).toEqual([
      'flag: --port: expected an integer',
      'flag: --log-level: Invalid option: expected one of "debug"|"info"|"warn"|"error"|"silent"',
      'FILE:1: port: Invalid input: expected number, received string',
      'FILE:2: foo: unknown key',
      'environment: PILOTLIGHT_NOPE: unknown variable',
      'environment: functions_provider_url: expected an http or https URL, got "::"',
      'environment: max_idle_conns: expected an integer',
      'environment: PILOTLIGHT_PORT: expected an integer',
    ])
  })

  it('reports a file that is missing together with the other faults', () => {
    expect(faultsOf({ argvConfigPath: 'gone.yaml', env: { PILOTLIGHT_PORT: 'x' } })).toEqual([
      'gone.yaml: cannot be read (ENOENT)',
      'environment: PILOTLIGHT_PORT: expected an integer',
    ])
  })

  it('wants a lease that outlasts two slow answers of Redis', () => {
    const env = { PILOTLIGHT_REDIS_TIMEOUT: '1s', PILOTLIGHT_LEASE_TTL: '1999ms' }

    expect(faultsOf({ env })).toEqual([
      'settings: leaseTtl: must be at least twice redisTimeout, or a slow answer would cost the lease',
    ])
    expect(load({ env: { ...env, PILOTLIGHT_LEASE_TTL: '2s' } }).leaseTtlMs).toBe(2_000)
  })

  it('reads the certificates of Redis at the start, so that a wrong path is told at once', () => {
    using garbage = temporaryFile('garbage.pem', 'not a certificate')
    using certificate = temporaryFile('certificate.pem', testCertificate)
    using key = temporaryFile('key.pem', testKey)
    const faultOf = (query: string) => faultsOf({ env: { PILOTLIGHT_REDIS_URL: `rediss://redis?${query}` } })
    const own = `tls_cert=${certificate.path}&tls_key=${key.path}`

    expect(faultOf('tls_ca=/nowhere/ca.pem')).toEqual(['settings: redisUrl: tls_ca cannot be read (ENOENT)'])
    expect(faultOf(`tls_ca=${garbage.path}`)).toEqual(['settings: redisUrl: tls_ca is not a PEM file of certificates'])
    expect(faultOf(own.replace(key.path, garbage.path))).toEqual([
      'settings: redisUrl: tls_cert and tls_key are not PEM files of a certificate and its key',
    ])
    const url = `rediss://redis?tls_ca=${certificate.path}&${own}`
    expect(load({ env: { PILOTLIGHT_REDIS_URL: url } }).redisUrl).toBe(url)
  })

  it('says that the engine http-proxy uses no forward proxy', () => {
    const env = { HTTPS_PROXY: 'user:secret@proxy', PILOTLIGHT_ENGINE: 'http-proxy' }

    expect(load({ env }).notices).toEqual([expect.stringContaining('they go straight')])
    expect(load({ env: { ...env, PILOTLIGHT_ENGINE: 'undici' } }).notices).toEqual([])
  })

  it('hands on the notices of the environment', () => {
    expect(load({ env: { faas_nats_address: 'nats' } }).notices).toEqual([expect.stringContaining('not supported')])
  })

  it('warns of a fleet whose gateways have a provider each', () => {
    const redis = { PILOTLIGHT_REDIS_URL: 'redis://redis' }

    expect(load({ env: redis }).notices).toEqual([expect.stringContaining('must share a provider')])
    expect(load({ env: { ...redis, functions_provider_url: 'http://provider' } }).notices).toEqual([])
  })
})

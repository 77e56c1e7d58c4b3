import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { readEnvironment } from '../../../core/config/environment.ts'

const settingsOf = (env: Record<string, string>) => readEnvironment(env).settings
const faultsOf = (env: Record<string, string>) =>
  readEnvironment(env).faults.map(({ where, text }) => `${where}: ${text}`)

describe('the OpenFaaS variables', () => {
  it.each([
    ['true', true],
    ['True', false],
    ['1', false],
    ['yes', false],
    [' true', false],
    ['false', false],
  ])('read the boolean %j as %s', (text, expected) => {
    expect(settingsOf({ scale_from_zero: text, basic_auth: text })).toEqual({
      scaleFromZero: expected,
      basicAuth: expected,
    })
  })

  it.each(['abc', '-5', '5 s', '1d'])('silently leave the default for the duration %j', (text) => {
    const read = readEnvironment({ read_timeout: text, write_timeout: text, upstream_timeout: text })

    expect(read).toEqual({ settings: {}, faults: [], notices: [] })
  })

  it.each([
    ['65s', 65_000],
    ['65', 65_000],
    ['1m5s', 65_000],
  ])('read the duration %j', (text, expected) => {
    const settings = settingsOf({ read_timeout: text, write_timeout: text, upstream_timeout: text })

    expect(settings).toEqual({ readTimeout: expected, writeTimeout: expected, upstreamTimeout: expected })
  })

  it.each(['max_idle_conns', 'max_idle_conns_per_host', 'faas_prometheus_port'])(
    'refuse %s when it is no integer',
    (name) => {
      expect(faultsOf({ [name]: '12x' })).toEqual([`environment: ${name}: expected an integer`])
    },
  )

  it('never lower the number of connections, because OpenFaaS limits idle ones only', () => {
    expect(settingsOf({ max_idle_conns_per_host: '10' })).toEqual({})
    expect(settingsOf({ max_idle_conns_per_host: '4096' })).toEqual({ maxConnectionsPerUpstream: 4096 })
  })

  it.each([
    ['http://provider:8081', 'http://provider:8081/'],
    ['http://provider:8081/', 'http://provider:8081/'],
    ['https://provider/base', 'https://provider/base/'],
    ['http://provider/base?x=1#y', 'http://provider/base/'],
  ])('read the provider URL %s as %s', (text, expected) => {
    expect(settingsOf({ functions_provider_url: text }).functionsProviderUrl?.href).toBe(expected)
  })

  it.each(['provider:8081', 'not a url', 'ftp://provider', '//provider'])('refuse the provider URL %j', (text) => {
    expect(faultsOf({ functions_provider_url: text, logs_provider_url: text })).toEqual([
      `environment: functions_provider_url: expected an http or https URL, got "${text}"`,
      `environment: logs_provider_url: expected an http or https URL, got "${text}"`,
    ])
  })

  it('show no credentials of a URL that cannot be read', () => {
    expect(faultsOf({ functions_provider_url: 'ftp://user:secret@provider' })[0]).not.toContain('secret')
  })

  it.each([
    [{ faas_prometheus_host: 'prom' }, 'http://prom:9090/'],
    [{ faas_prometheus_port: '9091' }, 'http://prometheus:9091/'],
    [{ faas_prometheus_host: 'prom.ns', faas_prometheus_port: '80' }, 'http://prom.ns/'],
  ])('join %j to one address of Prometheus', (env, expected) => {
    expect(settingsOf(env).prometheusUrl?.href).toBe(expected)
  })

  it('report a Prometheus host and port that are both wrong, each once', () => {
    expect(faultsOf({ faas_prometheus_host: 'a b', faas_prometheus_port: '99999' })).toEqual([
      'environment: faas_prometheus_port: Too big: expected number to be <=65535',
      'environment: faas_prometheus_host: expected an http or https URL, got "http://a b:9090"',
    ])
  })

  it.each(['', 'false', 'true'])('switch on the log of URLs when write_request_uri is present as %j', (text) => {
    expect(settingsOf({ write_request_uri: text })).toEqual({ writeRequestUri: true })
  })

  it.each([
    ['http://proxy:3128', 'http://proxy:3128/'],
    ['https://user:p%40ss@proxy', 'https://user:p%40ss@proxy/'],
    ['proxy:3128', 'http://proxy:3128/'],
    ['10.0.0.1:3128', 'http://10.0.0.1:3128/'],
    ['user:pass@proxy', 'http://user:pass@proxy/'],
  ])('read the forward proxy %s as %s', (text, expected) => {
    const { httpProxy, httpsProxy } = settingsOf({ HTTP_PROXY: text, HTTPS_PROXY: text })

    expect([httpProxy?.href, httpsProxy?.href]).toEqual([expected, expected])
  })

  it('take the upper-case spelling of the proxies first, and the other when that is empty', () => {
    const lower = { http_proxy: 'lower', https_proxy: 'lower', no_proxy: 'lower' }

    const both = settingsOf({ ...lower, HTTP_PROXY: 'upper', HTTPS_PROXY: '', NO_PROXY: 'upper' })

    expect([both.httpProxy?.host, both.httpsProxy?.host, both.noProxy]).toEqual(['upper', 'lower', 'upper'])
  })

  it('count proxies as not set when both spellings are empty', () => {
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']

    expect(settingsOf(Object.fromEntries(names.map((name) => [name, ''])))).toEqual({})
  })

  it.each([
    ['socks5://user:secret@proxy', 'expected an http or https URL, got "socks5://***@proxy"'],
    ['user:secret@proxy:x', 'expected an http or https URL, got "http://***@proxy:x"'],
    ['http://user:secret%@proxy', 'user and password of the URL are not percent-encoded'],
  ])('refuse the forward proxy %s without showing its password', (text, message) => {
    expect(faultsOf({ HTTP_PROXY: text, https_proxy: text })).toEqual([
      `environment: HTTP_PROXY: ${message}`,
      `environment: https_proxy: ${message}`,
    ])
  })

  it('announce that asynchronous calls are not supported when NATS is set', () => {
    expect(readEnvironment({ faas_nats_address: 'nats', faas_nats_port: '4222' }).notices).toEqual([
      'faas_nats_address and faas_nats_port set: asynchronous calls are not supported by this version, /async-function answers 404',
    ])
  })

  it('are ignored where OpenFaaS ignores them', () => {
    const env = {
      auth_proxy_url: 'x',
      direct_functions: 'x',
      probe_functions: 'x',
      async: 'x',
      PATH: 'x',
    }

    expect(readEnvironment(env)).toEqual({ settings: {}, faults: [], notices: [] })
  })

  it('count as not set when they are empty', () => {
    const env = {
      scale_from_zero: '',
      basic_auth: '',
      functions_provider_url: '',
      max_idle_conns: '',
      PILOTLIGHT_PORT: '',
    }

    expect(readEnvironment(env)).toEqual({ settings: {}, faults: [], notices: [] })
  })
})

describe('the PILOTLIGHT_ variables', () => {
  it('set what their names say', () => {
    const env = {
      PILOTLIGHT_CONFIG: '/etc/pilotlight.yaml',
      PILOTLIGHT_HOST: '127.0.0.1',
      PILOTLIGHT_PORT: '0',
      PILOTLIGHT_METRICS_PORT: '9000',
      PILOTLIGHT_WORKERS: '1',
      PILOTLIGHT_HOLD_TIMEOUT: '2m',
      PILOTLIGHT_QUIET_PERIOD: '0',
      PILOTLIGHT_GRACE_PERIOD: '90',
      PILOTLIGHT_ENGINE: 'http-proxy',
      PILOTLIGHT_LOG_LEVEL: 'silent',
      PILOTLIGHT_LOG_FORMAT: 'json',
    }

    expect(readEnvironment(env)).toEqual({
      settings: {
        host: '127.0.0.1',
        port: 0,
        metricsPort: 9000,
        workers: 1,
        holdTimeout: 120_000,
        quietPeriod: 0,
        gracePeriod: 90_000,
        engine: 'http-proxy',
        logLevel: 'silent',
        logFormat: 'json',
      },
      faults: [],
      notices: [],
    })
  })

  it.each([
    ['PILOTLIGHT_PORT', '65536'],
    ['PILOTLIGHT_PORT', '-1'],
    ['PILOTLIGHT_PORT', '80 80'],
    ['PILOTLIGHT_METRICS_PORT', 'x'],
    ['PILOTLIGHT_HOLD_TIMEOUT', '-5'],
    ['PILOTLIGHT_QUIET_PERIOD', 'soon'],
    ['PILOTLIGHT_GRACE_PERIOD', '1d'],
    ['PILOTLIGHT_ENGINE', 'Undici'],
    ['PILOTLIGHT_LOG_LEVEL', 'trace'],
    ['PILOTLIGHT_LOG_FORMAT', 'xml'],
    ['PILOTLIGHT_WORKERS', '0'],
    ['PILOTLIGHT_WORKERS', '129'],
    ['PILOTLIGHT_WORKERS', '1.5'],
    ['PILOTLIGHT_WORKERS', 'all'],
    ['PILOTLIGHT_REDIS_URL', 'localhost:6379'],
    ['PILOTLIGHT_REDIS_URL', 'redis://localhost?db=1'],
    ['PILOTLIGHT_REDIS_PREFIX', 'with space'],
    ['PILOTLIGHT_REDIS_TIMEOUT', '1m'],
    ['PILOTLIGHT_REDIS_TIMEOUT', 'soon'],
    ['PILOTLIGHT_LEASE_TTL', '100ms'],
    ['PILOTLIGHT_INSTANCE_KEY', 'fifteen-letters'],
    ['PILOTLIGHT_INSTANCE_NETWORKS', '10.0.0.0/33'],
    ['PILOTLIGHT_INSTANCE_NETWORKS', '10.0.0.0/8,'],
    ['PILOTLIGHT_INSTANCE_TTL', '299ms'],
    ['PILOTLIGHT_INSTANCE_TTL', '11m'],
  ])('refuse %s=%s', (name, text) => {
    expect(faultsOf({ [name]: text })).toEqual([expect.stringMatching(`^environment: ${name}: `)])
  })

  it.each([
    ['4', 4],
    ['auto', availableParallelism()],
  ])('take %s workers', (text, count) => {
    expect(settingsOf({ PILOTLIGHT_WORKERS: text }).workers).toBe(count)
  })

  it('say where gateways coordinate', () => {
    const env = {
      PILOTLIGHT_REDIS_URL: 'rediss+sentinel://u:p@s1,s2/main',
      PILOTLIGHT_REDIS_PREFIX: 'fleet:a',
      PILOTLIGHT_REDIS_TIMEOUT: '250ms',
      PILOTLIGHT_LEASE_TTL: '3',
    }

    expect(settingsOf(env)).toEqual({
      redisUrl: 'rediss+sentinel://u:p@s1,s2/main',
      redisPrefix: 'fleet:a',
      redisTimeout: 250,
      leaseTtl: 3_000,
    })
  })

  it('say whose reports of instances are taken', () => {
    const env = {
      PILOTLIGHT_INSTANCE_KEY: 'sixteen-letters!',
      PILOTLIGHT_INSTANCE_KEY_FILE: '/run/key',
      PILOTLIGHT_INSTANCE_NETWORKS: '10.1.0.0/16, fd00::/8',
      PILOTLIGHT_INSTANCE_TTL: '4s',
    }

    expect(settingsOf(env)).toEqual({
      instanceKey: 'sixteen-letters!',
      instanceKeyFile: '/run/key',
      instanceNetworks: ['10.1.0.0/16', 'fd00::/8'],
      instanceTtl: 4_000,
    })
  })

  it('show nothing of a key that is too short', () => {
    expect(faultsOf({ PILOTLIGHT_INSTANCE_KEY: 'hunter2' })[0]).not.toContain('hunter2')
  })

  it('show nothing of a Redis URL that cannot be read', () => {
    expect(faultsOf({ PILOTLIGHT_REDIS_URL: 'redis://:hunter/2@redis' })[0]).not.toContain('hunter')
  })

  it('refuse a misspelt name', () => {
    expect(faultsOf({ PILOTLIGHT_PROT: '1' })).toEqual(['environment: PILOTLIGHT_PROT: unknown variable'])
  })

  it('let pass what Kubernetes sets for Services called pilotlight and pilotlight-metrics', () => {
    const env = {
      PILOTLIGHT_SERVICE_HOST: '10.0.0.7',
      PILOTLIGHT_SERVICE_PORT: '8080',
      PILOTLIGHT_SERVICE_PORT_HTTP: '8080',
      PILOTLIGHT_PORT: 'tcp://10.0.0.7:8080',
      PILOTLIGHT_PORT_8080_TCP: 'tcp://10.0.0.7:8080',
      PILOTLIGHT_PORT_8080_TCP_PROTO: 'tcp',
      PILOTLIGHT_PORT_8080_TCP_PORT: '8080',
      PILOTLIGHT_PORT_8080_TCP_ADDR: '10.0.0.7',
      PILOTLIGHT_METRICS_PORT: 'tcp://10.0.0.8:8082',
      PILOTLIGHT_METRICS_SERVICE_HOST: '10.0.0.8',
      PILOTLIGHT_REDIS_PORT: 'tcp://10.0.0.9:6379',
    }

    expect(readEnvironment(env)).toEqual({ settings: {}, faults: [], notices: [] })
  })
})

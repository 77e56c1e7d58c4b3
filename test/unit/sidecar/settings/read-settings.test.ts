import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { instanceSecret } from '../../../../core/instances/instance-secret.ts'
import { readArguments } from '../../../../sidecar/settings/arguments.ts'
import { helpText } from '../../../../sidecar/settings/help-text.ts'
import { readSettings } from '../../../../sidecar/settings/read-settings.ts'
import { sidecarVariables } from '../../../../sidecar/settings/variables.ts'

const folder = mkdtempSync(join(tmpdir(), 'sidecar-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(environment: Readonly<Record<string, string>>, command: readonly string[] = []) {
  return readSettings({
    environment: { PATH: '/usr/bin:/bin', ...environment },
    command,
    directory: '/tmp',
    random: () => 0.5,
  })
}

const front = { upstream_url: 'http://127.0.0.1:3000' }

describe('readSettings', () => {
  it('has the defaults of an instance that fronts a server', () => {
    const { settings, faults } = read(front)

    expect(faults).toEqual([])
    expect(settings).toMatchObject({
      instance: { name: '', namespace: '' },
      listen: { host: '', port: 8080, adminPort: 8082, readTimeoutMs: 300_000, certificates: '' },
      calls: { limit: 0, timeoutMs: 0, queueLength: 100, queueTimeoutMs: 10_000, sampledRatio: 1 },
      membership: { gateways: [], secret: '' },
      leaving: { gracePeriodMs: 30_000, quietPeriodMs: 1_000, streams: 'finish', withParent: false },
      functionMetrics: '',
      function: { mode: 'http', command: [], prefixLogs: true, readyPath: '', contentType: '' },
    })
    expect(settings.function.upstream?.href).toBe('http://127.0.0.1:3000/')
  })

  it('reads the variables of watchdogs', () => {
    const { settings, faults } = read({
      fprocess: 'cat -n',
      mode: 'streaming',
      port: '9000',
      exec_timeout: '1m30s',
      read_timeout: '20',
      write_timeout: '5s',
      max_inflight: '3',
      prefix_logs: 'false',
      ready_path: 'ready',
      healthcheck_interval: '2s',
      content_type: 'text/plain',
      OPENFAAS_NAME: 'resize',
      OPENFAAS_NAMESPACE: 'fn',
    })

    expect(faults).toEqual([])
    expect(settings).toMatchObject({
      instance: { name: 'resize', namespace: 'fn' },
      listen: { port: 9000, readTimeoutMs: 20_000 },
      calls: { limit: 3, timeoutMs: 90_000 },
      function: {
        mode: 'classic',
        command: ['cat', '-n'],
        readTimeoutMs: 20_000,
        prefixLogs: false,
        readyPath: '/ready',
        healthIntervalMs: 2_000,
        contentType: 'text/plain',
      },
    })
  })

  it('takes write_timeout for the time of a call where exec_timeout says none', () => {
    expect(read({ ...front, write_timeout: '5s' }).settings.calls.timeoutMs).toBe(5_000)
  })

  it.each([
    { env: { fprocess: 'cat' }, mode: 'classic' },
    { env: { fprocess: 'cat', mode: 'serializing' }, mode: 'classic' },
    { env: { fprocess: 'cat', mode: 'http' }, mode: 'http' },
    { env: { fprocess: 'cat', ...front }, mode: 'http' },
    { env: { ...front, mode: 'classic' }, mode: 'http' },
  ])('runs $env as $mode', ({ env, mode }) => {
    expect(read(env).settings.function.mode).toBe(mode)
  })

  it('runs the arguments after -- as they are, rather than fprocess', () => {
    expect(read({ fprocess: 'cat' }, ['sh', '-c', 'echo $A | cat']).settings.function.command).toEqual([
      'sh',
      '-c',
      'echo $A | cat',
    ])
  })

  it('gives the function the environment without what concerns the sidecar', () => {
    const { environment } = read({ ...front, PILOTLIGHT_INSTANCE_KEY: 'secret of the fleet', A: '1' }).settings.function

    expect(environment).toEqual({ PATH: '/usr/bin:/bin', A: '1', ...front })
  })

  it('reads gateways and the key file', () => {
    const file = join(folder, 'key')
    writeFileSync(file, ' the key of the fleet\n')
    const { settings, faults } = read({
      ...front,
      PILOTLIGHT_FUNCTION: 'resize.fn',
      PILOTLIGHT_GATEWAYS: 'http://a:8080, https://b,',
      PILOTLIGHT_INSTANCE_KEY_FILE: file,
    })

    expect(faults).toEqual([])
    expect(settings.membership.gateways.map(({ href }) => href)).toEqual(['http://a:8080/', 'https://b/'])
    expect(settings.membership.secret).toBe(instanceSecret('the key of the fleet', settings.instance))
    expect(settings.instance).toMatchObject({ name: 'resize', namespace: 'fn' })
  })

  it('takes a secret of its own for the key, with the id that it was made for', () => {
    const env = { ...front, PILOTLIGHT_FUNCTION: 'resize.fn', PILOTLIGHT_INSTANCE_SECRET: 'made of the key by others' }
    const { settings, faults } = read({ ...env, PILOTLIGHT_INSTANCE_ID: 'resize-1' })

    expect([settings.membership.secret, faults]).toEqual(['made of the key by others', []])
    expect(read(env).faults).toEqual([
      { where: 'PILOTLIGHT_INSTANCE_ID', text: expect.stringContaining('required with PILOTLIGHT_INSTANCE_SECRET') },
    ])
    const both = { PILOTLIGHT_INSTANCE_ID: 'resize-1', PILOTLIGHT_INSTANCE_KEY: 'the key of the fleet' }
    expect(read({ ...env, ...both }).faults).toMatchObject([{ text: expect.stringContaining('give one of') }])
  })

  it('keeps for the function alone what would change the Node of the sidecar', () => {
    const variables = { NODE_OPTIONS: '--require ./trace.js', A: '2', empty: '' }
    const env = { ...front, A: '1', PILOTLIGHT_FUNCTION_ENV: JSON.stringify(variables) }
    const { environment } = read(env).settings.function

    expect(environment).toEqual({ PATH: '/usr/bin:/bin', ...front, ...variables })
  })

  it('makes up an id from the name of the pod that nobody has had before', () => {
    const named = read({ ...front, POD_NAME: 'resize-7d/9f', HOSTNAME: 'other' }).settings.instance.id
    const chosen = read({ ...front, PILOTLIGHT_INSTANCE_ID: 'mine' }).settings.instance.id
    const unnamed = read(front).settings.instance.id

    expect(named).toMatch(/^resize-7d9f-[0-9a-z]{6,12}$/)
    expect([chosen, /^instance-[0-9a-z]+$/.test(unnamed)]).toEqual(['mine', true])
  })

  it('is at the address that it is told, else at that of the pod, else at its own', () => {
    const addresses = [
      read({ ...front, PILOTLIGHT_INSTANCE_ADDRESS: '10.0.0.1', POD_IP: '10.0.0.2' }),
      read({ ...front, POD_IP: 'fd00::2' }),
    ].map(({ settings }) => settings.instance.address)

    expect(addresses).toEqual(['10.0.0.1', 'fd00::2'])
    expect(read(front).settings.instance.address).toMatch(/^[\d.]+$|:/)
  })

  it.each([
    { env: {}, ratio: 1 },
    { env: { OTEL_TRACES_SAMPLER: 'always_off' }, ratio: 0 },
    { env: { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, ratio: 0 },
    { env: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, ratio: 0.25 },
    { env: { OTEL_TRACES_SAMPLER: 'traceidratio' }, ratio: 1 },
    { env: { OTEL_TRACES_SAMPLER: 'jaeger_remote' }, ratio: 1 },
    { env: { OTEL_SDK_DISABLED: 'true' }, ratio: undefined },
  ])('samples new traces as an SDK would with $env', ({ env, ratio }) => {
    expect(read({ ...front, ...env }).settings.calls.sampledRatio).toBe(ratio)
  })

  it('ignores what Kubernetes announces of a Service called pilotlight, and empty variables', () => {
    const env = {
      PILOTLIGHT_PORT: 'tcp://10.0.0.1:80',
      PILOTLIGHT_SERVICE_HOST: '10.0.0.1',
      PILOTLIGHT_GATEWAYS: '',
      max_inflight: '',
    }

    expect(read({ ...front, ...env }).faults).toEqual([])
  })

  it.each<[variable: string, text: string, says: string]>([
    ['mode', 'static', 'expected one of http, classic, streaming, serializing, got "static"'],
    ['mode', 'toString', 'expected one of'],
    ['upstream_url', 'https://127.0.0.1', 'must begin with http://'],
    ['upstream_url', '127.0.0.1', 'expected a URL such as http://127.0.0.1:3000'],
    ['upstream_url', 'http://10.0.0.1:80', 'is not on this host'],
    ['upstream_url', 'http://u:p@127.0.0.1', 'a host, a port and a path, nothing else'],
    ['port', '70000', 'expected a whole number from 0 to 65535, got "70000"'],
    ['port', '8082', 'as is port: the two need different ones'],
    ['exec_timeout', '10 s', 'expected a duration such as "30s"'],
    ['read_timeout', '-1s', 'expected a duration'],
    ['max_inflight', '1.5', 'expected a whole number'],
    ['prefix_logs', 'yes', 'expected "true" or "false", got "yes"'],
    ['ready_path', '/a b', 'expected a path'],
    ['PILOTLIGHT_FUNCTION', 'a.b.c', 'expected a name such as'],
    ['PILOTLIGHT_INSTANCE_ID', 'a b', 'expected 1 to 128 letters'],
    ['PILOTLIGHT_INSTANCE_ADDRESS', 'example.com', 'expected an IP address'],
    ['POD_IP', 'fe80::1%eth0', 'expected an IP address'],
    ['PILOTLIGHT_GATEWAYS', 'http://u:p@a', 'reports are signed'],
    ['PILOTLIGHT_INSTANCE_KEY_FILE', '/nowhere', 'cannot be read'],
    ['PILOTLIGHT_INSTANCE_KEY', 'short', 'expected at least 16 characters'],
    ['PILOTLIGHT_INSTANCE_SECRET', 'short', 'expected at least 16 characters'],
    ['PILOTLIGHT_PARENT_PIPE', 'fd3', 'expected one of none, stdin'],
    ['PILOTLIGHT_FUNCTION_ENV', '{"A":1}', 'expected a JSON object whose values are texts'],
    ['PILOTLIGHT_FUNCTION_ENV', '["A"]', 'expected a JSON object'],
    ['PILOTLIGHT_FUNCTION_ENV', '{', 'expected a JSON object'],
    ['PILOTLIGHT_STREAM_POLICY', 'cut!', 'expected one of finish, cut'],
    ['PILOTLIGHT_FUNCTION_METRICS', 'metrics', 'expected a path such as /metrics'],
    ['PILOTLIGHT_QUEUE_LENGHT', '1', 'unknown variable'],
    ['PILOTLIGHT_DRAIN_PATH', 'false', 'expected one of on, off'],
    ['log_buffer_size', '64k', 'expected a whole number'],
  ])('finds fault with %s=%s', (variable, text, says) => {
    const { faults } = read({ ...front, [variable]: text })

    expect(faults.some((fault) => fault.text.includes(says))).toBe(true)
    expect(JSON.stringify(faults)).not.toContain('u:p')
  })

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('reads the flag %s as true, as Go does', (text) => {
    const { settings, faults } = read({ ...front, PILOTLIGHT_ALLOW_REMOTE_UPSTREAM: text })

    expect([settings.function.allowsRemoteUpstream, faults]).toEqual([true, []])
  })

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('reads the flag %s as false, as Go does', (text) => {
    const { settings, faults } = read({ ...front, prefix_logs: text })

    expect([settings.function.prefixLogs, faults]).toEqual([false, []])
  })

  it.each([
    ['OTEL_SDK_DISABLED', '1', 'expected "true" or "false", got "1"; "false" is used'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half', 'expected a number from 0 to 1, got "half"; 1 is used'],
    ['OTEL_TRACES_SAMPLER_ARG', '5', 'expected a number from 0 to 1, got "5"; 1 is used'],
  ])("goes on with the default where %s=%s, which is the function's as well", (variable, text, says) => {
    const env = { ...front, OTEL_TRACES_SAMPLER: 'traceidratio', [variable]: text }
    const { settings, faults, notices } = read(env)

    expect(faults).toEqual([])
    expect(notices).toEqual([{ where: variable, text: says }])
    expect(settings.calls.sampledRatio).toBe(1)
  })

  it.each([
    ['10', 80],
    ['99999999999', 16_777_216],
  ])('takes the nearest length of lines for log_buffer_size=%s', (text, length) => {
    const { settings, faults, notices } = read({ ...front, log_buffer_size: text })

    expect([settings.function.logLineLength, faults]).toEqual([length, []])
    expect(notices).toEqual([{ where: 'log_buffer_size', text: `is ${text}; ${length} is used` }])
  })

  it('pauses between two looks at a function, whatever healthcheck_interval says', () => {
    const { settings, faults } = read({ ...front, healthcheck_interval: '0' })

    expect([settings.function.healthIntervalMs, settings.leaving.quietPeriodMs, faults]).toEqual([100, 1_000, []])
  })

  it("is quiet for as long as healthcheck_interval says, of-watchdog's time to go on serving, unless told otherwise", () => {
    const [longer, shorter, both] = [
      { healthcheck_interval: '7s' },
      { healthcheck_interval: '500ms' },
      { healthcheck_interval: '7s', PILOTLIGHT_QUIET_PERIOD: '0s' },
    ].map((variables) => read({ ...front, ...variables }).settings.leaving.quietPeriodMs)

    expect([longer, shorter, both]).toEqual([7_000, 1_000, 0])
  })

  it('wants a key and a name where there are gateways, and something to run or to front', () => {
    const { faults } = read({ PILOTLIGHT_GATEWAYS: 'http://a' })

    expect(faults.map(({ where }) => where).toSorted()).toEqual([
      'PILOTLIGHT_FUNCTION',
      'PILOTLIGHT_INSTANCE_KEY_FILE',
      'fprocess',
    ])
  })

  it('finds fault with a path of metrics where there is no server', () => {
    expect(read({ fprocess: 'cat', PILOTLIGHT_FUNCTION_METRICS: '/metrics' }).faults).toHaveLength(1)
    expect(read({ fprocess: 'cat', PILOTLIGHT_FUNCTION_METRICS: 'http://127.0.0.1:9/m' }).faults).toHaveLength(0)
  })
})

describe('readArguments', () => {
  it.each([
    [[], { action: 'run', command: [] }],
    [['--', 'a', '--help'], { action: 'run', command: ['a', '--help'] }],
    [['--check-config', '--', 'a'], { action: 'check', command: ['a'] }],
    [['--help'], { action: 'help' }],
    [['--version', '--nothing'], { action: 'version' }],
    [['--nothing'], { action: 'refuse', text: 'unknown argument "--nothing"' }],
  ])('reads %j', (argv, asked) => {
    expect(readArguments(argv)).toEqual(asked)
  })
})

describe('helpText', () => {
  it('names every variable', () => {
    for (const { name } of sidecarVariables) expect(helpText()).toContain(`\n  ${name} `)
  })
})

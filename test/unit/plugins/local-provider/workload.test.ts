import { describe, expect, it } from 'vitest'
import { builtInRecipes } from '../../../../plugins/local-provider/catalogue/built-in.ts'
import { Catalogue } from '../../../../plugins/local-provider/catalogue/catalogue.ts'
import { decodeDeployment } from '../../../../plugins/local-provider/functions/deployment.ts'
import { toWorkload, type Workload } from '../../../../plugins/local-provider/functions/workload.ts'

const catalogue = new Catalogue([
  { image: 'acme/node-*', mode: 'http', command: ['node', 'server.js'], env: { color: 'red', shape: 'round' } },
  { image: 'acme/*', mode: 'classic', command: 'cat' },
  { image: 'a+c.me/(x)', mode: 'classic', command: 'cat' },
  ...builtInRecipes,
])

function workload(body: Record<string, unknown>): Workload {
  const deployment = decodeDeployment({ service: 'one', ...body }, 'fn')
  return toWorkload(deployment, { catalogue, path: '/usr/bin:/bin', home: '/home', secrets: '/secrets' })
}

describe('toWorkload', () => {
  it('takes the first recipe that fits', () => {
    expect(workload({ image: 'acme/node-18:1' }).command).toEqual(['node', 'server.js'])
    expect(workload({ image: 'acme/other' }).settings.mode).toBe('classic')
    expect(() => workload({ image: 'ac.me/x' })).toThrow('not in the catalogue')
    expect(() => workload({ image: 'XXacme/x' })).toThrow('not in the catalogue')
  })

  it('lays the deployment over the recipe, and what belongs to the function below both', () => {
    const { environment } = workload({ image: 'acme/node-18', envVars: { color: 'blue', HOME: '/elsewhere' } })

    expect(environment).toMatchObject({ color: 'blue', shape: 'round', HOME: '/elsewhere', PATH: '/usr/bin:/bin' })
    expect(environment).toMatchObject({
      OPENFAAS_NAME: 'one',
      OPENFAAS_NAMESPACE: 'fn',
      OPENFAAS_SECRETS_PATH: '/secrets',
    })
  })

  it.each([
    ['fprocess of a classic image', { image: 'alpine:3', envProcess: 'tr a b' }, ['/usr/bin/tr', 'classic']],
    ['the variable as well', { image: 'alpine:3', envVars: { fprocess: 'tr a b' } }, ['/usr/bin/tr', 'classic']],
    [
      'fprocess over the recipe of a classic image',
      { image: 'acme/x', envProcess: 'tr a b' },
      ['/usr/bin/tr', 'classic'],
    ],
    ['the recipe of a server', { image: 'acme/node-1', envProcess: 'node index.js' }, ['node', 'http']],
    [
      'fprocess where the deployment asks for a server',
      { image: 'alpine:3', envProcess: 'tr a b', envVars: { mode: 'http' } },
      ['/usr/bin/tr', 'http'],
    ],
  ])('runs %s', (_what, body, [program, mode]) => {
    const { command, settings } = workload(body)

    expect(settings.mode).toBe(mode)
    expect(program).toContain(command[0])
  })

  it('refuses an image that leaves open what to run', () => {
    expect(() => workload({ image: 'alpine:3' })).toThrow('say what to run in envProcess')
  })

  it('reads the variables of a watchdog', () => {
    const envVars = {
      exec_timeout: '1m30s',
      read_timeout: '5',
      max_inflight: '7',
      ready_path: 'health',
      health_path: '/well',
      prefix_logs: 'false',
      upstream_url: 'http://127.0.0.1:5000',
      content_type: 'text/html',
    }

    expect(workload({ image: 'acme/x', envVars }).settings).toEqual({
      mode: 'classic',
      execTimeoutMs: 90_000,
      readTimeoutMs: 5_000,
      maxInflight: 7,
      readyPath: '/health',
      healthPath: '/well',
      prefixLogs: false,
      fixedPort: 5000,
      contentType: 'text/html',
    })
  })

  it('takes the paths of probes from annotations where no variable names them', () => {
    const annotations = { 'com.openfaas.ready.http.path': '/ready', 'com.openfaas.health.http.path': 'health' }

    expect(workload({ image: 'acme/x', annotations }).settings).toMatchObject({
      readyPath: '/ready',
      healthPath: '/health',
    })
    expect(workload({ image: 'acme/x', annotations, envVars: { ready_path: '/mine' } }).settings.readyPath).toBe(
      '/mine',
    )
  })

  it('takes write_timeout where exec_timeout is missing', () => {
    expect(workload({ image: 'acme/x', envVars: { write_timeout: '3s' } }).settings.execTimeoutMs).toBe(3000)
  })

  it.each([
    [{ exec_timeout: 'soon' }, 'exec_timeout "soon"'],
    [{ max_inflight: '-1' }, 'max_inflight "-1"'],
    [{ healthcheck_interval: 'often' }, 'healthcheck_interval "often"'],
    [{ PILOTLIGHT_QUEUE_LENGTH: 'long' }, 'PILOTLIGHT_QUEUE_LENGTH "long"'],
    [{ mode: 'static' }, 'mode "static"'],
    [{ PORT: '0' }, 'port "0"'],
    [{ PORT: '70000' }, 'port "70000"'],
    [{ upstream_url: 'http://127.0.0.1' }, 'upstream_url'],
    [{ ready_path: '/a b' }, 'ready_path'],
    [{ health_path: 'a\nb' }, 'health_path'],
  ])('refuses %j', (envVars, message) => {
    expect(() => workload({ image: 'acme/x', envVars })).toThrow(message)
  })
})

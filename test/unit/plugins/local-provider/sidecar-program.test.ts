import { describe, expect, it } from 'vitest'
import { instanceSecret } from '#core'
import { existsSync } from 'node:fs'
import type { Workload } from '../../../../plugins/local-provider/functions/workload.ts'
import { decodeDeployment } from '../../../../plugins/local-provider/functions/deployment.ts'
import { toWorkload } from '../../../../plugins/local-provider/functions/workload.ts'
import { Catalogue } from '../../../../plugins/local-provider/catalogue/catalogue.ts'
import { installedSidecar, SidecarProgram } from '../../../../plugins/local-provider/replicas/sidecar-program.ts'

const catalogue = new Catalogue([{ image: 'x', mode: 'classic', command: ['cat', '-n'] }])

function workload(envVars: Record<string, string>): Workload {
  const deployment = decodeDeployment({ service: 'one', image: 'x', envVars }, 'fn')
  return toWorkload(deployment, { catalogue, path: '/usr/bin:/bin', home: '/home', secrets: '/secrets' })
}

function launchOf(envVars: Record<string, string> = {}, upstream: number | undefined = undefined) {
  const gateways = [new URL('http://one:8080/'), new URL('http://two:8080/base/')]
  const program = new SidecarProgram({ key: 'the key', gateways, maxProcesses: 7 })
  program.reportTo(new URL('http://127.0.0.1:1234/'))
  return program.launchOf(workload(envVars), {
    instance: 'one-1',
    ports: { calls: 5000, upstream },
    records: '/state/replicas/one-1',
    startTimeoutMs: 60_000,
    graceMs: 500,
  })
}

describe('SidecarProgram', () => {
  it('runs the sidecar of this installation with the command of the function behind it', () => {
    const { command, directory, stdin } = launchOf()

    expect(command).toEqual([...installedSidecar, '--', 'cat', '-n'])
    expect(command[0]).toBe(process.execPath)
    expect(existsSync(installedSidecar.at(-2) ?? '')).toBe(true)
    expect([directory, stdin]).toEqual(['/home', 'pipe'])
  })

  it('tells it who it is, where it listens and who wants to hear of it', () => {
    expect(launchOf().environment).toMatchObject({
      mode: 'classic',
      port: '5000',
      OPENFAAS_NAME: 'one',
      OPENFAAS_NAMESPACE: 'fn',
      PILOTLIGHT_INSTANCE_ID: 'one-1',
      PILOTLIGHT_INSTANCE_ADDRESS: '127.0.0.1',
      PILOTLIGHT_INSTANCE_SECRET: instanceSecret('the key', { id: 'one-1', name: 'one', namespace: 'fn' }),
      PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
      PILOTLIGHT_GATEWAYS: 'http://127.0.0.1:1234/,http://one:8080/,http://two:8080/base/',
      PILOTLIGHT_START_TIMEOUT: '60000ms',
      PILOTLIGHT_GRACE_PERIOD: '500ms',
      PILOTLIGHT_QUIET_PERIOD: '0s',
      PILOTLIGHT_DRAIN_PATH: 'off',
      PILOTLIGHT_PARENT_PIPE: 'stdin',
      PILOTLIGHT_PROCESS_RECORDS: '/state/replicas/one-1',
      PILOTLIGHT_MAX_PROCESSES: '7',
    })
  })

  it('keeps the key of the gateways to itself', () => {
    expect(JSON.stringify(launchOf())).not.toContain('the key')
  })

  it('chooses the port of a server, also of one that insists on it', () => {
    expect(launchOf({ mode: 'http' }, 5001).environment).toMatchObject({
      mode: 'http',
      port: '5000',
      upstream_url: 'http://127.0.0.1:5001',
    })
    const insisting = launchOf({ mode: 'http', PORT: '6000', upstream_url: 'http://127.0.0.1:6000' }, 6000).environment
    expect(insisting).toMatchObject({ port: '5000', upstream_url: 'http://127.0.0.1:6000' })
    expect(insisting).not.toHaveProperty('PORT')
  })

  it('leaves to deployments what concerns calls only', () => {
    const environment = launchOf({
      color: 'blue',
      exec_timeout: '5s',
      PILOTLIGHT_QUEUE_LENGTH: '3',
      PILOTLIGHT_STREAM_POLICY: 'cut',
      PILOTLIGHT_INSTANCE_KEY_FILE: '/etc/passwd',
      PILOTLIGHT_INSTANCE_ID: 'somebody',
      PILOTLIGHT_GATEWAYS: 'http://evil/',
      OPENFAAS_NAME: 'somebody',
    }).environment

    expect(environment).toMatchObject({
      color: 'blue',
      exec_timeout: '5s',
      PILOTLIGHT_QUEUE_LENGTH: '3',
      PILOTLIGHT_STREAM_POLICY: 'cut',
      PILOTLIGHT_INSTANCE_ID: 'one-1',
      OPENFAAS_NAME: 'one',
    })
    expect(environment).not.toHaveProperty('PILOTLIGHT_INSTANCE_KEY_FILE')
    expect(environment['PILOTLIGHT_GATEWAYS']).not.toContain('evil')
  })

  it('hands on to the function alone what would change the Node of the sidecar, on no command line', () => {
    const hidden = {
      NODE_OPTIONS: '--require ./trace.js',
      NODE_EXTRA_CA_CERTS: '/nowhere',
      UV_THREADPOOL_SIZE: '1',
      LD_PRELOAD: 'trace.so',
      LD_AUDIT: 'audit.so',
      OPENSSL_CONF: '/conf',
      SSL_CERT_FILE: '/certificates',
      GLIBC_TUNABLES: 'x=1',
      MALLOC_ARENA_MAX: '1',
    }
    const { command, environment } = launchOf({ ...hidden, NODES: '3', PILOTLIGHT_FUNCTION_ENV: '{"NODE_ENV":"x"}' })

    expect(command).toEqual([...installedSidecar, '--', 'cat', '-n'])
    expect(JSON.parse(environment['PILOTLIGHT_FUNCTION_ENV'] ?? '')).toEqual(hidden)
    expect(Object.keys(environment).filter((name) => name in hidden)).toEqual([])
    expect(environment).toHaveProperty('NODES', '3')
  })
})

import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { runNode } from '../../support/run-process.ts'
import { temporaryFile } from '../../support/temporary-file.ts'
import { readReport } from '../../../core/instances/signed-report.ts'
import type { InstancePhase } from '../../../core/instances/instance-record.ts'
import { decideProvider } from '../../../deploy/cluster/provider-settings.ts'
import { stateDirectory } from './harness.ts'
import { isAlive, processesIn } from './processes.ts'
import { standaloneEntry, StandaloneProcess } from './standalone-process.ts'

guardAgainstLeaks()

const server = join(import.meta.dirname, 'functions/server.js')

function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { headers: { connection: 'close', ...headers } })
}

function post(url: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { connection: 'close', ...headers }, body: JSON.stringify(body) })
}

describe('the local provider as a process of its own', () => {
  it('runs functions and stops with exit code 0, leaving none of their processes behind', async () => {
    using state = stateDirectory()
    await using provider = await StandaloneProcess.start(`--state-directory=${state.path}`)

    const listed = (await (await get(`${provider.url}/system/functions`)).json()) as { name: string }[]
    await post(`${provider.url}/system/scale-function/hello`, { replicas: 1 })
    await eventually('hello', async () => (await get(`${provider.url}/function/hello`)).status === 200)
    provider.signal('SIGTERM')

    expect(listed.map(({ name }) => name)).toContain('hello')
    expect(await provider.exited).toBe(0)
    expect(processesIn(state.path)).toEqual({ sidecars: [], functions: [] })
  })

  it('asks for the account in the folder of secrets, and for nothing without one', async () => {
    using state = stateDirectory()
    using user = temporaryFile('basic-auth-user', 'admin\n')
    writeFileSync(join(user.directory, 'basic-auth-password'), 'pass:word\n')
    await using provider = await StandaloneProcess.start(
      `--state-directory=${state.path}`,
      `--secrets=${user.directory}`,
      '--no-samples',
      '--namespace=fn',
    )
    const functions = `${provider.url}/system/functions`
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

    expect((await get(functions)).status).toBe(401)
    expect((await get(functions, basic('admin:pass'))).status).toBe(401)
    expect((await get(functions, basic('admin:pass:word'))).status).toBe(200)
    expect(await (await get(`${provider.url}/system/namespaces`, basic('admin:pass:word'))).json()).toEqual(['fn'])
    expect(provider.output).not.toContain('pass:word')
  })

  it('finishes the calls it has when it is told to stop, and takes no new ones', async () => {
    using state = stateDirectory()
    await using provider = await StandaloneProcess.start(`--state-directory=${state.path}`)
    const { envProcess, envVars } = { envProcess: `${process.execPath} ${server}`, envVars: { mode: 'http' } }
    await post(`${provider.url}/system/functions`, { service: 'slow', image: 'alpine', envProcess, envVars })
    await eventually('slow', async () => (await get(`${provider.url}/function/slow`)).status === 200)

    const call = get(`${provider.url}/function/slow/slow?ms=600`)
    await pause(200)
    provider.signal('SIGTERM')
    await eventually('the port to close', () =>
      get(`${provider.url}/healthz`).then(
        () => false,
        () => true,
      ),
    )

    expect(await (await call).text()).toBe('finished')
    expect(await provider.exited).toBe(0)
  })

  it('cuts what is left when the grace period is over, and ends at once on a second signal', async () => {
    using state = stateDirectory()
    const envProcess = `${process.execPath} ${server}`
    const deploySlow = async (provider: StandaloneProcess): Promise<void> => {
      await post(`${provider.url}/system/functions`, {
        service: 'slow',
        image: 'alpine',
        envProcess,
        envVars: { mode: 'http' },
      })
      await eventually('slow', async () => (await get(`${provider.url}/function/slow`)).status === 200)
    }
    const hang = (provider: StandaloneProcess): Promise<string> =>
      get(`${provider.url}/function/slow/hang`).then(
        (answer) => String(answer.status),
        () => 'cut',
      )
    const stateFlag = `--state-directory=${state.path}`
    {
      await using brief = await StandaloneProcess.start(stateFlag, '--grace-period=300ms')
      await deploySlow(brief)
      const call = hang(brief)
      await pause(300)
      brief.signal('SIGTERM')
      expect(await call).toBe('cut')
      expect(await brief.exited).toBe(0)
    }
    await using patient = await StandaloneProcess.start(stateFlag, '--grace-period=1m')
    await deploySlow(patient)
    const call = hang(patient)
    await pause(300)
    const noted = processesIn(state.path)
    expect([noted.sidecars.length, noted.functions.length]).toEqual([1, 1])
    const pids = [...noted.sidecars, ...noted.functions]
    patient.signal('SIGINT')
    await pause(400)
    expect(patient.isRunning).toBe(true)
    patient.signal('SIGINT')
    expect(await call).toBe('cut')
    expect(await patient.exited).toBe(1)
    await eventually('all processes to end', () => !pids.some(isAlive))
  })

  it('is killed, and its sidecars and functions end by themselves', async () => {
    using state = stateDirectory()
    await using provider = await StandaloneProcess.start(`--state-directory=${state.path}`, '--no-samples')
    const envProcess = `${process.execPath} ${server}`
    for (const mode of ['http', 'classic']) {
      const program = mode === 'http' ? envProcess : 'cat'
      const body = { service: mode, image: 'alpine', envProcess: program, envVars: { mode } }
      await post(`${provider.url}/system/functions`, body)
      await eventually(mode, async () => (await post(`${provider.url}/function/${mode}`, {})).status === 200)
    }
    const { sidecars, functions } = processesIn(state.path)

    provider.signal('SIGKILL')
    await provider.exited
    await eventually('sidecars and functions to end', () => ![...sidecars, ...functions].some(isAlive))

    expect([sidecars.length, functions.length]).toEqual([2, 1])
  })

  it('announces readiness to the gateways that it is told, with the account of their URL', async () => {
    using state = stateDirectory()
    await using gateway = await ListeningGateway.start()
    const { heard, port } = gateway
    {
      await using provider = await StandaloneProcess.start(
        `--state-directory=${state.path}`,
        `--announce-to=http://127.0.0.1:1,http://a%3Ab:p%40ss@127.0.0.1:${port}`,
      )
      await post(`${provider.url}/system/scale-function/upper`, { replicas: 1 })
      await eventually('the announcement', () => heard.length === 1)
    }
    const authorization = `Basic ${Buffer.from('a:b:p@ss').toString('base64')}`
    const body = '{"name":"upper","namespace":"openfaas-fn","available":1}'
    expect(heard).toEqual([['/system/function-ready', authorization, body]])
  })

  it('has its replicas report by themselves where it is given the key of the gateways', async () => {
    using state = stateDirectory()
    using key = temporaryFile('key', 'the key of the gateways\n')
    await using gateway = await ListeningGateway.start()
    {
      await using provider = await StandaloneProcess.start(
        `--state-directory=${state.path}`,
        `--announce-to=http://a:b@127.0.0.1:${gateway.port}/base`,
        `--instance-key-file=${key.path}`,
      )
      await post(`${provider.url}/system/scale-function/upper`, { replicas: 1 })
      await eventually('a report of readiness', () => gateway.reports('the key of the gateways').includes('ready'))
      await eventually('upper', async () => (await get(`${provider.url}/function/upper`)).status === 200)
    }

    expect(new Set(gateway.heard.map(([path]) => path))).toEqual(new Set(['/base/pilotlight/instances']))
    expect(gateway.heard.every(([, authorization]) => authorization === undefined)).toBe(true)
    expect(gateway.reports('the key of the gateways').at(-1)).toBe('leaving')
  })
})

/** A gateway as far as announcements and reports concern it. */
class ListeningGateway implements AsyncDisposable {
  readonly heard: [path: string, authorization: string | undefined, body: string][] = []
  port = 0
  readonly #server = createServer((request, response) => {
    request.on('data', (body: Buffer) =>
      this.heard.push([request.url ?? '', request.headers.authorization, body.toString()]),
    )
    request.on('end', () => response.end('{"ttlMs": 10000, "acknowledged": 0, "silent": 0}'))
  })

  static async start(): Promise<ListeningGateway> {
    const gateway = new ListeningGateway()
    gateway.#server.listen(0, '127.0.0.1')
    await once(gateway.#server, 'listening')
    gateway.port = (gateway.#server.address() as AddressInfo).port // a TCP server's address is always of this type
    return gateway
  }

  /** The phases that were reported. @throws GatewayError when a report is not signed by `key` */
  reports(key: string): InstancePhase[] {
    return this.heard.map(([, , body]) => readReport(body, key, Date.now()).record.phase)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

describe('the command of the local provider', () => {
  it('prints its help and its version', async () => {
    const help = await runNode([standaloneEntry, '--help'])
    const version = await runNode([standaloneEntry, '--version'])

    expect([help.code, version.code]).toEqual([0, 0])
    expect(help.stdout).toContain('--announce-to <urls>')
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/)
  })

  it.each([
    ['an unknown flag', ['--frobnicate'], "unknown option '--frobnicate'"],
    ['a port that is no number', ['--port=many'], '--port: expected a whole number from 0 to 65535, got "many"'],
    ['a grace period without a unit', ['--grace-period=soon'], '--grace-period: expected a duration'],
    [
      'a URL that is none',
      ['--announce-to=ftp://user:secret@x'],
      '--announce-to: "ftp://***@x" is no http or https URL',
    ],
    ['a key that is not there', ['--instance-key-file=/nowhere'], '--instance-key-file: /nowhere cannot be read'],
    [
      'a key that is none',
      ['--instance-key-file=/dev/null'],
      '--instance-key-file: /dev/null: expected a key of at least 16',
    ],
    ['a folder without secrets', ['--secrets=/nowhere'], '--secrets: /nowhere/basic-auth-user cannot be read'],
    ['a file that is not there', ['--options=/nowhere.yaml'], '--options: "/nowhere.yaml" cannot be read'],
  ])('refuses %s with exit code 2', (_what, args, message) => {
    const decision = decideProvider(args)

    expect(decision).toMatchObject({ action: 'exit', code: 2, stdout: '', stderr: expect.stringContaining(message) })
  })

  it('names every option that is wrong', async () => {
    using file = temporaryFile('options.yaml', 'stopGrace: soon\nfrobnicate: 1\n')

    const { code, stderr } = await runNode([standaloneEntry, `--options=${file.path}`])

    expect(code).toBe(2)
    expect(stderr).toMatch(/options of local-provider are invalid:\n {2}stopGrace: .*\n.*frobnicate/)
  })

  it('takes options of the plugin from a file, which flags override', () => {
    using file = temporaryFile('options.yaml', 'port: 7\nsamples: true\nmaxReplicas: 3\n')

    const fromFile = decideProvider([`--options=${file.path}`])
    const overridden = decideProvider([`--options=${file.path}`, '--port=9', '--no-samples'])

    expect(fromFile).toMatchObject({ settings: { options: { port: 7, samples: true, maxReplicas: 3 } } })
    expect(overridden).toMatchObject({ settings: { options: { port: 9, samples: false, maxReplicas: 3 } } })
    expect(decideProvider([])).toMatchObject({ settings: { options: { port: 8081, samples: true } } })
  })

  it('says with exit code 1 that the state directory or the port is in use', async () => {
    using state = stateDirectory()
    using other = stateDirectory()
    await using running = await StandaloneProcess.start(`--state-directory=${state.path}`)

    const same = await runNode([standaloneEntry, '--port=0', `--state-directory=${state.path}`])
    const port = new URL(running.url).port
    const taken = await runNode([standaloneEntry, `--port=${port}`, `--state-directory=${other.path}`])

    expect([same.code, taken.code]).toEqual([1, 1])
    expect(same.stderr).toMatch(/cannot start: the state directory .* is in use by process \d+/)
    expect(taken.stderr).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
  })
})

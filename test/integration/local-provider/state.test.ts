import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { endOrphans } from '../../../plugins/local-provider/replicas/replica-processes.ts'
import { StateDirectory } from '../../../plugins/local-provider/state/state-directory.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { ProviderHarness, stateDirectory } from './harness.ts'
import { isAlive, processesIn } from './processes.ts'

guardAgainstLeaks()

const sleeper = { envProcess: 'cat' }

describe('state of the local provider', () => {
  it('is the same after a restart: functions, replicas, namespaces and secrets', async () => {
    using directory = stateDirectory()
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })
    await provider.system('POST', 'namespace/', { name: 'staging', labels: { a: 'b' } })
    await provider.system('POST', 'secrets', { name: 'token', value: 'x' })
    await provider.deploy({ service: 'kept', ...sleeper, labels: { team: 'a' }, secrets: ['token'] })
    await provider.deploy({ service: 'kept', ...sleeper, namespace: 'staging' })
    await provider.scale('kept', 3)
    await provider.system('DELETE', 'functions', { functionName: 'kept', namespace: 'staging' })
    const before = await provider.available('kept', 3)

    await provider.end()
    await provider.begin()

    expect(await provider.available('kept', 3)).toEqual(before)
    expect(before).toMatchObject({ replicas: 3, availableReplicas: 3, secrets: ['token'] })
    expect(await (await provider.system('GET', 'namespaces')).json()).toEqual(['openfaas-fn', 'staging'])
    expect(await (await provider.system('GET', 'secrets')).json()).toHaveLength(1)
    expect((await provider.system('GET', 'function/kept?namespace=staging')).status).toBe(404)
  })

  it('is readable by its user only', async () => {
    await using provider = await ProviderHarness.start()
    await provider.system('POST', 'secrets', { name: 'token', value: 'x' })
    await provider.deploy({ service: 'any', ...sleeper })
    const paths = ['secrets', 'secrets/openfaas-fn', 'processes', 'replicas', 'secrets/openfaas-fn/token', 'state.json']
    const modes = paths.map((path) => (statSync(`${provider.directory}/${path}`).mode & 0o777).toString(8))

    expect(modes).toEqual(['700', '700', '700', '700', '600', '600'])
  })

  it('starts samples at zero, however they ended, and keeps what took their place', async () => {
    using directory = stateDirectory()
    const options = { samples: true }
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path, options })
    await provider.scale('upper', 2)
    await provider.deploy({ service: 'env', envProcess: 'echo mine' })
    await provider.scale('env', 1)

    await provider.end()
    await provider.begin()

    expect(await provider.status('upper')).toMatchObject({ replicas: 0 })
    await provider.available('env', 1)
    expect(await (await provider.call('env')).text()).toBe('mine\n')
  })

  it.each([
    ['cut off', '{"version": 1, "functions": [{"deployment"'],
    ['empty', ''],
    ['of another shape', '{"version": 9}'],
    [
      'with a name that leads out of its folder',
      '{"version":1,"namespaces":[],"functions":[{"deployment":{"service":"../x","image":"alpine","namespace":"a"},"replicas":1,"createdAt":""}]}',
    ],
  ])('is moved aside when it is %s', async (_what, content) => {
    using directory = stateDirectory()
    writeFileSync(`${directory.path}/state.json`, content)

    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })
    await provider.deploy({ service: 'new', ...sleeper })

    const aside = readdirSync(directory.path).find((name) => name.startsWith('state.json.damaged-'))
    expect(readFileSync(`${directory.path}/${aside}`, 'utf8')).toBe(content)
    expect(provider.log.messages('error')[0]).toContain('moved aside')
    expect(JSON.parse(readFileSync(`${directory.path}/state.json`, 'utf8'))).toMatchObject({
      functions: [{ replicas: 1 }],
    })
  })

  it('keeps a function whose image the catalogue does not know any more, and says so', async () => {
    using directory = stateDirectory()
    const catalogue = [{ image: 'mine', command: ['cat'] }]
    {
      await using provider = await ProviderHarness.start({ stateDirectory: directory.path, options: { catalogue } })
      await provider.deploy({ service: 'orphaned', image: 'mine' })
    }

    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })
    const status = await provider.status('orphaned')

    expect(status).toMatchObject({
      replicas: 1,
      availableReplicas: 0,
      reason: expect.stringContaining('not in the catalogue'),
    })
    expect(await provider.scale('orphaned', 2)).toBe(202)
    expect((await provider.call('orphaned')).status).toBe(503)
  })

  it('says so when a change cannot be stored, and goes on', async () => {
    await using provider = await ProviderHarness.start()
    mkdirSync(`${provider.directory}/state.json.new`)

    const refused = await provider.system('POST', 'functions', { service: 'lost', image: 'alpine', envProcess: 'cat' })
    rmdirSync(`${provider.directory}/state.json.new`)
    await provider.deploy({ service: 'next', ...sleeper })

    expect(refused.status).toBe(500)
    expect(await refused.text()).toContain('could not be stored')
    expect(provider.log.messages('error')).toEqual(['the state of the local provider could not be stored'])
    expect(readFileSync(`${provider.directory}/state.json`, 'utf8')).toMatch(/"lost"[^]*"next"/)
  })

  it('belongs to one provider at a time', async () => {
    using directory = stateDirectory()
    await using first = await ProviderHarness.start({ stateDirectory: directory.path })

    await expect(ProviderHarness.start({ stateDirectory: directory.path })).rejects.toThrow(
      /in use by process \d+; stop that gateway, or give this one another directory/,
    )
    expect((await first.system('GET', 'functions')).status).toBe(200)

    await first.end()
    await using _second = await ProviderHarness.start({ stateDirectory: directory.path })
  })

  it('is given up again, and no process is left, when the port is taken', async () => {
    using directory = stateDirectory()
    await using first = await ProviderHarness.start()
    const options = { port: Number(new URL(first.url).port) }
    {
      await using before = await ProviderHarness.start({ stateDirectory: directory.path })
      await before.deploy({ service: 'kept', envProcess: 'sleep 69', envVars: { mode: 'http' } })
    }

    await expect(ProviderHarness.start({ stateDirectory: directory.path, options })).rejects.toThrow('EADDRINUSE')

    expect(readdirSync(directory.path)).not.toContain('lock')
    expect(processesIn(directory.path)).toEqual({ sidecars: [], functions: [] })
  })

  it('names the directory that cannot be used', async () => {
    await expect(ProviderHarness.start({ stateDirectory: '/dev/null/nowhere' })).rejects.toThrow('"/dev/null/nowhere"')
  })
})

describe('processes of the local provider', () => {
  it('end with it, and leave no record', async () => {
    using directory = stateDirectory()
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path, options: { samples: true } })
    await provider.scale('hello', 2)
    await provider.available('hello', 2)
    const { sidecars, functions } = processesIn(directory.path)

    await provider.end()

    expect([sidecars.length, functions.length]).toEqual([2, 2])
    expect([...sidecars, ...functions].filter(isAlive)).toEqual([])
    expect(processesIn(directory.path)).toEqual({ sidecars: [], functions: [] })
    expect(readdirSync(`${directory.path}/replicas`)).toEqual([])
  })

  it('are ended by the next start when their owner was killed', async () => {
    using directory = stateDirectory()
    await using owner = await startOwner(directory.path)
    await owner.post('functions', {
      service: 'left',
      image: 'alpine',
      envProcess: '"sleep" 66 & sleep 66',
      envVars: { mode: 'http' },
    })
    await owner.post('functions', { service: 'call', image: 'alpine', envProcess: 'echo begun; sleep 66' })
    const call = await eventually('the call to begin', async () => {
      const answer = await fetch(`${owner.url}/function/call`)
      if (answer.status === 200) return answer
      await answer.arrayBuffer()
      return undefined
    })
    const pids = await eventually('two functions', () => {
      const { sidecars, functions } = processesIn(directory.path)
      return sidecars.length === 2 && functions.length === 2 && [...sidecars, ...functions]
    })
    expect(pids.filter(isAlive)).toEqual(pids)

    // Those that hang do not notice that their owner is gone.
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await owner.kill('SIGKILL')
    await expect(call.text()).rejects.toThrow('terminated')
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })

    await eventually('the orphans to end', () => pids.every((pid) => !isAlive(pid)))
    expect(provider.log.messages('warn')).toContain('function processes of a killed gateway were ended')
    expect(await provider.status('left')).toMatchObject({ replicas: 1 })
  })

  it('are not mistaken for others that have their pid by now', async () => {
    using directory = stateDirectory()
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })
    const bystander = spawn('sleep', ['67'], { detached: true })
    await once(bystander, 'spawn')
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    await provider.end()
    writeFileSync(`${directory.path}/processes/${bystander.pid}`, `12345 ${bootId}\n`)
    writeFileSync(`${directory.path}/processes/not-a-pid`, 'rubbish')

    await provider.begin()

    expect(isAlive(bystander.pid ?? 0)).toBe(true)
    bystander.kill('SIGKILL')
    await once(bystander, 'close')
  })

  it('end when their owner ends without closing', async () => {
    using directory = stateDirectory()
    await using owner = await startOwner(directory.path)
    await owner.post('functions', {
      service: 'left',
      image: 'alpine',
      envProcess: 'sleep 68',
      envVars: { mode: 'http' },
    })
    const pids = await eventually('the function', () => {
      const { sidecars, functions } = processesIn(directory.path)
      return functions.length === 1 && [...sidecars, ...functions]
    })

    await owner.kill('SIGTERM')

    await eventually('sidecar and function to end', () => !pids.some(isAlive))
  })
})

interface Owner extends AsyncDisposable {
  readonly url: string
  /** Resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  post(path: string, body: unknown): Promise<void>
}

/** Starts a provider in a process of its own. */
async function startOwner(directory: string): Promise<Owner> {
  const script = fileURLToPath(new URL('owner.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'close')
  const [line] = await once(createInterface(child.stdout), 'line')
  const { url, authorization } = JSON.parse(String(line)) as { url: string; authorization: string }
  return {
    url,
    kill: async (signal) => {
      child.kill(signal)
      await exited
    },
    post: async (path, body) => {
      const headers = { authorization }
      const answer = await fetch(`${url}/system/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      expect(answer.status).toBe(202)
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
      if (existsSync(directory)) endOrphans(new StateDirectory(directory))
    },
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { ProviderHarness, stateDirectory } from './harness.ts'

guardAgainstLeaks()

/** As a fleet makes them: microseconds of the epoch. */
const fence = 1_795_263_000_123_456
const cat = { envProcess: 'cat' }

function scaleUnder(provider: ProviderHarness, name: string, under: number | string): Promise<Response> {
  const body = { serviceName: name, replicas: 1 }
  return provider.system('POST', `scale-function/${name}`, body, { 'x-pilotlight-fence': String(under) })
}

describe('the fences of the local provider', () => {
  it('refuse an older one with 409, naming the one that holds to people and to programs', async () => {
    await using provider = await ProviderHarness.start()
    await provider.deploy({ service: 'fenced', ...cat })
    await scaleUnder(provider, 'fenced', fence)

    const refused = await scaleUnder(provider, 'fenced', fence - 1)

    expect(refused.status).toBe(409)
    expect(refused.headers.get('x-pilotlight-fence')).toBe(String(fence))
    expect(await refused.text()).toBe(`fence ${fence - 1} is older than ${fence}: another gateway leads by now\n`)
    expect((await scaleUnder(provider, 'fenced', fence)).status).toBe(202)
    expect((await scaleUnder(provider, 'fenced', fence + 1)).status).toBe(202)
    expect(await provider.scale('fenced', 2)).toBe(202)
    expect((await scaleUnder(provider, 'fenced', 2 ** 52)).status).toBe(202)
  })

  it.each(['-1', '1.5', '4503599627370497', '9007199254740990', '9007199254740993', '12345678901234567', 'ten', ''])(
    'are whole numbers up to 2^52: not "%s"',
    async (text) => {
      await using provider = await ProviderHarness.start()
      await provider.deploy({ service: 'fenced', ...cat })

      expect((await scaleUnder(provider, 'fenced', text)).status).toBe(400)
    },
  )

  it('hold after a restart, for samples too, and for each function by itself', async () => {
    using directory = stateDirectory()
    const options = { samples: true }
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path, options })
    await provider.deploy({ service: 'fenced', ...cat })
    await provider.deploy({ service: 'other', ...cat })
    await scaleUnder(provider, 'fenced', fence)
    await scaleUnder(provider, 'upper', fence)

    await provider.end()
    await provider.begin()

    expect((await scaleUnder(provider, 'fenced', fence - 1)).status).toBe(409)
    expect((await scaleUnder(provider, 'upper', fence - 1)).status).toBe(409)
    expect((await scaleUnder(provider, 'other', 1)).status).toBe(202)
    expect((await scaleUnder(provider, 'fenced', fence)).status).toBe(202)
  })

  it('hold after kill -9 right behind the answer', async () => {
    using directory = stateDirectory()
    const owner = spawn(process.execPath, [fileURLToPath(new URL('owner.ts', import.meta.url)), directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    killOnExit(owner)
    const [line] = await once(createInterface(owner.stdout), 'line')
    const { url, authorization } = JSON.parse(String(line)) as { url: string; authorization: string }
    const post = (path: string, body: object, headers = {}): Promise<Response> =>
      fetch(`${url}/system/${path}`, {
        method: 'POST',
        headers: { authorization, connection: 'close', ...headers },
        body: JSON.stringify(body),
      })
    await post('functions', { service: 'fenced', image: 'alpine', ...cat })
    await post('scale-function/fenced', { replicas: 1 }, { 'x-pilotlight-fence': String(fence) })
    owner.kill('SIGKILL')
    await once(owner, 'close')

    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })

    const refused = await scaleUnder(provider, 'fenced', fence - 1)
    expect([refused.status, refused.headers.get('x-pilotlight-fence')]).toEqual([409, String(fence)])
  })

  it('outlast an update and a deployment in the place of a sample', async () => {
    await using provider = await ProviderHarness.start({ options: { samples: true } })
    await scaleUnder(provider, 'upper', fence)

    await provider.deploy({ service: 'upper', ...cat })
    await provider.system('PUT', 'functions', { service: 'upper', image: 'alpine', envProcess: 'cat -' })

    expect((await scaleUnder(provider, 'upper', fence - 1)).status).toBe(409)
  })

  it.each([
    ['damaged', 'many\n'],
    ['empty', ''],
    ['larger than any time', '4503599627370497\n'],
  ])('start anew, and say so, when what is stored is %s', async (_what, content) => {
    using directory = stateDirectory()
    await using provider = await ProviderHarness.start({ stateDirectory: directory.path })
    await provider.deploy({ service: 'fenced', ...cat })
    await scaleUnder(provider, 'fenced', fence)
    await provider.end()
    const file = `${directory.path}/functions/openfaas-fn/fenced/fence`
    expect(readFileSync(file, 'utf8')).toBe(`${fence}\n`)
    writeFileSync(file, content)

    await provider.begin()

    expect(provider.log.messages('warn')).toContain('a stored fence is damaged: any fence is accepted')
    expect((await scaleUnder(provider, 'fenced', 1)).status).toBe(202)
    expect((await scaleUnder(provider, 'fenced', 0)).status).toBe(409)
  })

  it('hold for this run when they cannot be stored, which is logged', async () => {
    await using provider = await ProviderHarness.start()
    await provider.deploy({ service: 'fenced', ...cat })
    const obstacle = `${provider.directory}/functions/openfaas-fn/fenced/fence.new`
    mkdirSync(obstacle, { recursive: true })

    const accepted = await scaleUnder(provider, 'fenced', fence)
    rmdirSync(obstacle)

    expect(accepted.status).toBe(202)
    expect(provider.log.messages('error')).toEqual(['a fence could not be stored: it holds until the end of this run'])
    expect((await scaleUnder(provider, 'fenced', fence - 1)).status).toBe(409)
  })
})

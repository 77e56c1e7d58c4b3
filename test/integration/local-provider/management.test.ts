import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { rawRequest, requestBytes } from '../../support/raw-http.ts'
import { ProviderHarness } from './harness.ts'

guardAgainstLeaks('file')

let provider: ProviderHarness
beforeAll(async () => {
  provider = await ProviderHarness.start()
})
afterAll(() => provider[Symbol.asyncDispose]())

const cat = { image: 'ghcr.io/openfaas/alpine:latest', envProcess: 'cat' }

describe('management API of the local provider', () => {
  it.each([
    'GET /system/functions',
    'POST /system/functions',
    'GET /system/info',
    'GET /system/secrets',
    'GET /system/nonsense',
    'GET /%73ystem/functions',
  ])('refuses %s without credentials', async (line) => {
    const [method = '', target = ''] = line.split(' ')

    const answer = await rawRequest(provider.url, requestBytes(method, target, ['Content-Length: 0']), method)

    expect(answer.status).toBe(401)
  })

  it('refuses wrong credentials', async () => {
    const answer = await provider.system('GET', 'functions', undefined, { authorization: 'Basic cGlsb3RsaWdodDp4' })

    expect(answer.status).toBe(401)
  })

  it('answers health without credentials, GET and HEAD', async () => {
    expect((await fetch(`${provider.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${provider.url}/healthz`, { method: 'HEAD' })).status).toBe(200)
    expect((await fetch(`${provider.url}/healthz`, { method: 'POST' })).status).toBe(405)
  })

  it('deploys, lists, updates and deletes a function', async () => {
    const labels = { 'com.openfaas.scale.min': '2' }
    const deployed = await provider.system('POST', 'functions', { ...cat, service: 'crud', labels })
    const listed = (await (await provider.system('GET', 'functions')).json()) as { name: string }[]
    const updated = await provider.system('PUT', 'functions', { ...cat, service: 'crud', envVars: { a: 'b' } })
    const status = await provider.available('crud', 2)
    const deleted = await provider.system('DELETE', 'functions', { functionName: 'crud' })
    const gone = await provider.system('GET', 'function/crud')

    expect([deployed.status, updated.status, deleted.status, gone.status]).toEqual([202, 202, 202, 404])
    expect(await gone.text()).toBe('')
    expect(listed.map(({ name }) => name)).toContain('crud')
    expect(status).toMatchObject({
      replicas: 2,
      availableReplicas: 2,
      namespace: 'openfaas-fn',
      envVars: { a: 'b' },
      envProcess: 'cat',
    })
    expect(status).not.toHaveProperty('labels')
    expect(Date.parse(String(status.createdAt))).not.toBeNaN()
  })

  it('answers 404 to an update, deletion, status or scale of an unknown function', async () => {
    const answers = await Promise.all([
      provider.system('PUT', 'functions', { ...cat, service: 'nobody' }),
      provider.system('DELETE', 'functions', { functionName: 'nobody' }),
      provider.system('GET', 'function/nobody?namespace=elsewhere'),
      provider.system('POST', 'scale-function/nobody', { replicas: 1 }),
    ])

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
  })

  it.each([
    ['two dots', '..'],
    ['a slash', '../../etc'],
    ['a NUL', 'a\0b'],
    ['capitals', 'Hello'],
    ['a dot', 'a.b'],
    ['a dash at the end', 'a-'],
    ['nothing', ''],
    ['300 characters', 'a'.repeat(300)],
  ])('refuses a function whose name has %s', async (_what, service) => {
    const answer = await provider.system('POST', 'functions', { ...cat, service })

    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('service: is no DNS label')
  })

  it.each(['..', '%2e%2e', '%00', 'a%2Fb', 'x'.repeat(300), '%ff'])('knows no function called %s', async (name) => {
    const { authorization = '' } = provider.provider.endpoint
    const fields = [`Authorization: ${authorization}`]

    const status = await rawRequest(provider.url, requestBytes('GET', `/system/function/${name}`, fields))
    const called = await rawRequest(provider.url, requestBytes('GET', `/function/${name}/x`))

    expect(status.status).toBe(404)
    expect(called.status).toBe(503)
  })

  it.each([
    ['cut off', '{"service": "x", "image":'],
    ['no JSON', 'service=x'],
    ['a list', '[]'],
    ['null', 'null'],
    ['numbers for texts', { service: 'x', image: 'alpine', envVars: { a: 1 } }],
    ['a NUL in a variable', { service: 'x', image: 'alpine', envVars: { a: 'b\0c' } }],
    ['a bad image', { service: 'x', image: 'al pine\n' }],
    ['a bad duration', { ...cat, service: 'x', envVars: { exec_timeout: 'soon' } }],
    ['a mode without an equivalent', { ...cat, service: 'x', envVars: { mode: 'inproc' } }],
    ['nothing to run', { service: 'x', image: 'alpine' }],
    ['an unknown secret', { ...cat, service: 'x', secrets: ['nope'] }],
    ['an unknown namespace', { ...cat, service: 'x', namespace: 'nope' }],
  ])('refuses a deployment that is %s', async (_what, body) => {
    const answer = await provider.system('POST', 'functions', body)

    expect(answer.status).toBe(400)
    expect((await answer.text()).length).toBeGreaterThan(10)
  })

  it('refuses a deployment of 3 MiB', async () => {
    const answer = await provider.system('POST', 'functions', {
      ...cat,
      service: 'huge',
      envVars: { a: 'x'.repeat(3 << 20) },
    })

    expect(answer.status).toBe(413)
  })

  it('refuses an image that is not in the catalogue, naming both', async () => {
    const answer = await provider.system('POST', 'functions', { service: 'x', image: 'ghcr.io/acme/thing:1' })

    expect(answer.status).toBe(400)
    expect(await answer.text()).toMatch(/"ghcr\.io\/acme\/thing:1" is not in the catalogue .* option "catalogue"/)
  })

  it('keeps secrets and never shows their values', async () => {
    const created = await provider.system('POST', 'secrets', { name: 'token', value: 'hush-hush' })
    const again = await provider.system('POST', 'secrets', { name: 'token', value: 'other' })
    const unknown = await provider.system('PUT', 'secrets', { name: 'none', value: 'x' })
    await provider.deploy({ service: 'secretive', envProcess: 'cat $OPENFAAS_SECRETS_PATH/token', secrets: ['token'] })
    await provider.available('secretive', 1)
    const first = await (await provider.call('secretive')).text()
    const updated = await provider.system('PUT', 'secrets', {
      name: 'token',
      rawValue: Buffer.from('new').toString('base64'),
    })
    const second = await (await provider.call('secretive')).text()
    const listed = await (await provider.system('GET', 'secrets')).text()
    const status = JSON.stringify(await provider.status('secretive'))
    const removed = await provider.system('DELETE', 'secrets', { name: 'token' })

    expect([created, again, unknown, updated, removed].map((one) => one.status)).toEqual([202, 409, 404, 202, 202])
    expect([first, second]).toEqual(['hush-hush', 'new'])
    expect(JSON.parse(listed)).toEqual([{ name: 'token', namespace: 'openfaas-fn' }])
    expect(listed + status + (await provider.logs('secretive')).join('')).not.toContain('hush')
    expect(JSON.stringify(provider.log.lines)).not.toContain('hush')
  })

  it.each(['../../escape', '..', 'a/b', 'a'.repeat(64)])('refuses a secret called %s', async (name) => {
    const answer = await provider.system('POST', 'secrets', { name, value: 'x' })

    expect(answer.status).toBe(400)
  })

  it('keeps namespaces with labels, and takes functions along with one', async () => {
    const created = await provider.system('POST', 'namespace/', { name: 'staging', labels: { team: 'a' } })
    const again = await provider.system('POST', 'namespace/', { name: 'staging' })
    await provider.deploy({ service: 'crud', envProcess: 'cat', namespace: 'staging' })
    await provider.available('crud?namespace=staging', 1)
    const called = await provider.call('crud.staging', { method: 'POST', body: 'x' })
    const shown = await (await provider.system('GET', 'namespace/staging')).json()
    const names = await (await provider.system('GET', 'namespaces')).json()
    const removed = await provider.system('DELETE', 'namespace/staging')
    const gone = await provider.system('GET', 'namespace/staging')
    const functions = await provider.system('GET', 'functions?namespace=staging')

    expect([created, again, removed, gone, functions].map(({ status }) => status)).toEqual([201, 409, 202, 404, 400])
    expect(await called.text()).toBe('x')
    expect(shown).toEqual({ name: 'staging', labels: { team: 'a' } })
    expect(names).toEqual(['openfaas-fn', 'staging'])
  })

  it('keeps the default namespace', async () => {
    expect((await provider.system('DELETE', 'namespace/openfaas-fn')).status).toBe(400)
  })

  it('answers 404 about telemetry and describes itself', async () => {
    const info = await (await provider.system('GET', 'info')).json()

    expect((await provider.system('GET', 'telemetry')).status).toBe(404)
    expect(info).toMatchObject({
      provider: 'pilotlight-local',
      orchestration: 'processes',
      version: { release: expect.any(String) },
    })
  })

  it('has the sample functions at zero replicas', async () => {
    await using withSamples = await ProviderHarness.start({ options: { samples: true } })

    const listed = (await (await withSamples.system('GET', 'functions')).json()) as Record<string, unknown>[]

    expect(listed.map(({ name, replicas }) => [name, replicas])).toEqual([
      ['env', 0],
      ['hello', 0],
      ['slow-start', 0],
      ['upper', 0],
    ])
    expect(listed[0]).toMatchObject({ labels: { 'com.openfaas.scale.zero': 'true' } })
  })
})

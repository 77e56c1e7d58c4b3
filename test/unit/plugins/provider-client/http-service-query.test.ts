import { describe, expect, it } from 'vitest'
import { functionIdentity, GatewayError } from '#core'
import { internalText, type Fault } from '../../../support/provider-faults.ts'
import { ScriptedProvider } from '../../../support/scripted-provider.ts'
import { eventually } from '../../../support/eventually.ts'
import { ClientHarness } from './client-harness.ts'
import { flood, HandlerProvider, json } from './handler-provider.ts'

const echo = functionIdentity('echo', 'fn')
const status = { name: 'echo', namespace: 'fn', image: 'x', replicas: 2, availableReplicas: 1, labels: null, custom: 7 }

async function failureOf(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw new Error(`not a GatewayError: ${String(error)}`)
  return error
}

function expectSafe(error: GatewayError): void {
  expect(error.message).not.toMatch(/127\.0\.0\.1|http:|:\d{4,5}|10\.0\.0/)
}

describe('HttpServiceQuery.status', () => {
  it('asks by name, namespace and without usage, with the credentials of the gateway', async () => {
    await using provider = await HandlerProvider.start(json(status))
    await using client = new ClientHarness({ url: provider.url, authorization: 'Basic abc' })

    const seen = await client.query.status(echo)

    expect(seen).toMatchObject({ name: 'echo', replicas: 2, availableReplicas: 1, labels: {}, custom: 7 })
    expect(provider.seen[0]).toMatchObject({ method: 'GET', target: '/system/function/echo?namespace=fn&usage=false' })
    expect(provider.seen[0]?.headers.authorization).toBe('Basic abc')
  })

  it('keeps the base path of the provider and encodes odd names', async () => {
    await using provider = await HandlerProvider.start(json(status))
    await using client = new ClientHarness({ url: new URL('base/path/', provider.url), authorization: undefined })

    await client.query.status(functionIdentity('a b/c?', ''))

    expect(provider.seen[0]?.target).toBe('/base/path/system/function/a%20b%2Fc%3F?namespace=&usage=false')
    expect(provider.seen[0]?.headers.authorization).toBeUndefined()
  })

  it('keeps connections for calls that follow each other', async () => {
    await using provider = await HandlerProvider.start(json(status))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    for (let i = 0; i < 20; i += 1) await client.query.status(echo)

    expect(provider.connections).toBeLessThanOrEqual(2)
  })

  it('returns undefined for 404 at the first answer', async () => {
    await using provider = await HandlerProvider.start((_request, response) => response.writeHead(404).end())
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    expect(await client.query.status(echo)).toBeUndefined()
    expect(provider.seen).toHaveLength(1)
  })

  it.each<{ fault: Fault; calls: number }>([
    { fault: 'reset', calls: 3 },
    { fault: 'reset-midway', calls: 3 },
    { fault: 'error-500', calls: 3 },
    { fault: 'hang', calls: 1 },
    { fault: 'html', calls: 1 },
    { fault: 'half-json', calls: 1 },
    { fault: 'ignore', calls: 1 },
  ])('explains a provider that does "$fault" without its address, after $calls calls', async ({ fault, calls }) => {
    await using provider = await ScriptedProvider.start({ name: 'echo', namespace: 'fn' })
    provider.fail('status', fault)
    await using client = new ClientHarness({ url: new URL(provider.url), authorization: undefined }, { timeoutMs: 400 })

    const error = await failureOf(client.query.status(echo))

    expect(error.code).toBe('provider_unavailable')
    expectSafe(error)
    expect(provider.count('status')).toBe(calls)
  })

  it('succeeds when only the first calls fail', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo', namespace: 'fn' })
    provider.fail('status', 'reset', 1)
    provider.fail('status', 'error-500', 1)
    await using client = new ClientHarness({ url: new URL(provider.url), authorization: undefined })

    expect(await client.query.status(echo)).toMatchObject({ name: 'echo' })
    expect(provider.count('status')).toBe(3)
  })

  it('explains a provider that refuses connections', async () => {
    const provider = await ScriptedProvider.start()
    const url = new URL(provider.url)
    await provider[Symbol.asyncDispose]()
    await using client = new ClientHarness({ url, authorization: undefined })

    const error = await failureOf(client.query.status(echo))

    expect(error.code).toBe('provider_unavailable')
    expectSafe(error)
  })

  it('stops reading an answer of 100 MB', async () => {
    const sent = { mebibytes: 0 }
    await using provider = await HandlerProvider.start(flood(100, sent))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined }, { maxAttempts: 1 })

    const error = await failureOf(client.query.status(echo))

    expect(error.code).toBe('provider_unavailable')
    await eventually('the flood to be cut', () => provider.openConnections === 0)
    expect(sent.mebibytes).toBeLessThan(20)
  })

  it.each([
    ['no object', '[]'],
    ['no name', '{"replicas":1}'],
    ['replicas that are no number', '{"name":"echo","replicas":"1"}'],
    ['negative replicas', '{"name":"echo","availableReplicas":-1}'],
    ['a namespace that is no text', '{"name":"echo","namespace":{}}'],
  ])('refuses an answer with %s', async (_case, body) => {
    await using provider = await HandlerProvider.start((_request, response) => response.end(body))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    expect((await failureOf(client.query.status(echo))).code).toBe('provider_unavailable')
  })

  it('rejects with the reason of a caller that gives up, and frees the connection', async () => {
    await using provider = await HandlerProvider.start(() => {})
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })
    const caller = new AbortController()

    const work = client.query.status(echo, caller.signal)
    await eventually('the call to arrive', () => provider.seen.length === 1)
    caller.abort(new Error('left'))

    await expect(work).rejects.toThrow('left')
    await eventually('the connection to close', () => provider.openConnections === 0)
  })
})

describe('HttpServiceQuery.scale', () => {
  it('says name and namespace in path, query and body, with the fence as a header', async () => {
    await using provider = await HandlerProvider.start((_request, response) => response.writeHead(202).end())
    await using client = new ClientHarness({ url: provider.url, authorization: 'Basic abc' })

    await client.query.scale(echo, 3, { fence: 42 })
    await client.query.scale(functionIdentity('bare', ''), 0)

    const [first, second] = provider.seen
    expect(first).toMatchObject({ method: 'POST', target: '/system/scale-function/echo?namespace=fn' })
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '52',
      'x-pilotlight-fence': '42',
      authorization: 'Basic abc',
    })
    expect(JSON.parse(first?.body ?? '')).toEqual({ serviceName: 'echo', replicas: 3, namespace: 'fn' })
    expect(second?.target).toBe('/system/scale-function/bare?namespace=')
    expect(second?.headers['x-pilotlight-fence']).toBeUndefined()
  })

  it.each([
    [404, 'function_not_found'],
    [400, 'no_ready_replica'],
    [401, 'no_ready_replica'],
    [422, 'no_ready_replica'],
    [408, 'provider_unavailable'],
    [429, 'provider_unavailable'],
    [500, 'provider_unavailable'],
    [503, 'provider_unavailable'],
    [302, 'provider_unavailable'],
  ])('takes %i for %s, after one call', async (providerStatus, code) => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(providerStatus, { Location: '/elsewhere' }).end(internalText)
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const error = await failureOf(client.query.scale(echo, 1))

    expect(error).toMatchObject({ code, details: { providerStatus } })
    expectSafe(error)
    expect(provider.seen).toHaveLength(1)
  })

  it('takes 409 with a larger fence for the word of a newer leader, after one call', async () => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(409, { 'X-Pilotlight-Fence': '1800000000000042' }).end(internalText)
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const error = await failureOf(client.query.scale(echo, 1, { fence: 1_800_000_000_000_041 }))

    expect(error).toMatchObject({
      code: 'lease_lost',
      details: { providerStatus: 409, fence: 1_800_000_000_000_042 },
    })
    expectSafe(error)
    expect(provider.seen).toHaveLength(1)
  })

  it.each([
    ['409 without a fence', 409, undefined],
    ['409 with an empty fence', 409, ''],
    ['409 with a fence that is no number', 409, 'newer'],
    ['409 with a negative fence', 409, '-1'],
    ['409 with a fence that no time reaches', 409, '4503599627370497'],
    ['409 with a fence that no other can exceed', 409, '9007199254740991'],
    ['409 with a fence beyond all numbers', 409, '9'.repeat(400)],
    ['another status with a fence', 400, '42'],
  ])('takes %s for a refusal', async (_case, providerStatus, fence) => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(providerStatus, fence === undefined ? {} : { 'X-Pilotlight-Fence': fence }).end()
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const error = await failureOf(client.query.scale(echo, 1, { fence: 41 }))

    expect(error).toMatchObject({ code: 'no_ready_replica', details: { providerStatus } })
    expect(error.details['fence']).toBeUndefined()
  })

  it.each<Fault>(['hang', 'reset'])('leaves repeating to its caller when a provider does "%s"', async (fault) => {
    await using provider = await ScriptedProvider.start({ name: 'echo', namespace: 'fn' })
    provider.fail('scale', fault)
    await using client = new ClientHarness({ url: new URL(provider.url), authorization: undefined }, { timeoutMs: 300 })

    const error = await failureOf(client.query.scale(echo, 1))

    expect(error.code).toBe('provider_unavailable')
    expectSafe(error)
    expect(provider.count('scale')).toBe(1)
  })

  it('accepts a wish whose answer has a broken body', async () => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(202, { 'Content-Length': '10' })
      response.write('a', () => response.socket?.resetAndDestroy())
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    await expect(client.query.scale(echo, 1)).resolves.toBeUndefined()
  })
})

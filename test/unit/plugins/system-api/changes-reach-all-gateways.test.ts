import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { functionIdentity, nothingKnown, type FunctionState } from '#core'
import { loadConfig } from '../../../../core/config/load-config.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { Deployments } from '../../../../plugins/system-api/deployments.ts'
import { FleetNews } from '../../../../plugins/system-api/fleet-news.ts'
import { ProviderPass } from '../../../../plugins/system-api/provider-pass.ts'
import { ScaleFunction } from '../../../../plugins/system-api/scale-function.ts'
import { eventually } from '../../../support/eventually.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../../support/leak-guard.ts'
import { ClientHarness } from '../provider-client/client-harness.ts'
import { HandlerProvider } from '../provider-client/handler-provider.ts'
import { ScriptedDirectory } from './scripted-directory.ts'
import { ServedRoutes } from './served-routes.ts'

guardAgainstLeaks()

const echo = functionIdentity('echo', 'fn')
const ready: FunctionState = { ...nothingKnown(echo), phase: 'ready', desired: 1, available: 1, observedAtMs: 1 }

const deployed: readonly (readonly [string, string])[] = [
  ['POST', '{"service":"echo"}'],
  ['PUT', '{"service":"echo","namespace":"fn"}'],
  ['DELETE', '{"functionName":"echo"}'],
]

describe('a change that a client makes through one gateway', () => {
  let clock: FakeClock
  let log: FakeLogger
  let replicas: LocalReplicaDirectory
  let shared: ScriptedDirectory
  let provider: HandlerProvider
  let served: ServedRoutes
  let open: AsyncDisposableStack

  beforeEach(async () => {
    open = new AsyncDisposableStack()
    clock = new FakeClock()
    log = new FakeLogger()
    replicas = new LocalReplicaDirectory({ clock })
    shared = new ScriptedDirectory()
    provider = open.use(await HandlerProvider.start((_request, response) => response.writeHead(202).end('taken')))
    const { api } = open.use(new ClientHarness({ url: provider.url, authorization: undefined }))
    const env = { functions_provider_url: provider.url.href, function_namespace: 'fn' }
    const config = loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: import.meta.dirname })
    const pass = new ProviderPass({ api, config, log })
    const news = new FleetNews({ shared, clock, log })
    const deployments = new Deployments({ pass, news, config, maxBytes: 1024 })
    const scaling = new ScaleFunction({ pass, news, replicas, config, clock })
    served = open.use(
      await ServedRoutes.start([
        {
          methods: ['POST', 'PUT', 'DELETE'],
          path: '/system/functions',
          handle: (request) => deployments.handle(request),
        },
        { methods: ['POST'], path: '/system/scale-function/{name}', handle: (request) => scaling.handle(request) },
      ]),
    )
  })

  afterEach(async () => {
    await open[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })

  function scale(replicaCount: number): Promise<Response> {
    return served.call('POST', '/system/scale-function/echo', JSON.stringify({ replicas: replicaCount }))
  }

  it.each(deployed)('makes them forget the function (%s %s)', async (method, body) => {
    const answer = await served.call(method, '/system/functions', body)

    expect([answer.status, await answer.text()]).toEqual([202, 'taken'])
    expect([shared.forgotten, shared.observed]).toEqual([[echo], []])
  })

  it('is told before the client is answered', async () => {
    const told = Promise.withResolvers<void>()
    shared.answer = () => told.promise
    let isAnswered = false

    const answer = served.call('PUT', '/system/functions', '{"service":"echo"}').finally(() => (isAnswered = true))
    await eventually('the gateways to be told', () => shared.count === 1)
    await clock.advance(900)
    expect(isAnswered).toBe(false)
    told.resolve()

    expect((await answer).status).toBe(202)
  })

  it.each(deployed)('is answered although they cannot be told (%s %s)', async (method, body) => {
    shared.answer = () => Promise.reject(new Error('the store refused'))

    const answer = await served.call(method, '/system/functions', body)

    expect([answer.status, await answer.text()]).toEqual([202, 'taken'])
    expect(log.messages('warn')).toHaveLength(1)
  })

  it.each([
    ['a deployment', () => served.call('PUT', '/system/functions', '{"service":"echo"}')],
    ['scaling', () => scale(0)],
  ])('is answered after a second when telling them hangs: %s', async (_case, change) => {
    const hung = Promise.withResolvers<void>()
    shared.answer = () => hung.promise

    const answer = change()
    await eventually('the gateways to be told', () => shared.count === 1)
    await clock.advance(1_000)

    expect((await answer).status).toBe(202)
    expect(log.messages('warn')).toHaveLength(1)
  })

  it('is told although its client leaves, and the answer of the provider is given up', async () => {
    const told = Promise.withResolvers<void>()
    shared.answer = () => told.promise
    provider.answer = (_request, response) => void response.writeHead(202).write('half')
    const client = new AbortController()

    const call = fetch(`${served.url}/system/functions`, {
      method: 'PUT',
      body: '{"service":"echo"}',
      signal: client.signal,
    })
    await eventually('the gateways to be told', () => shared.count === 1)
    client.abort()
    await expect(call).rejects.toThrow()
    told.resolve()

    await eventually('the connection to the provider to close', () => provider.openConnections === 0)
  })

  it.each([
    ['refused by the provider', 'PUT', '{"service":"echo"}', 400],
    ['of no function', 'PUT', '{"image":"x"}', 202],
    ['that is no JSON', 'POST', '{"service":', 202],
  ])('is not told when it is one %s', async (_case, method, body, status) => {
    provider.answer = (_request, response) => response.writeHead(status).end()

    await served.call(method, '/system/functions', body)

    expect(shared.count).toBe(0)
  })

  it('shows a ready function that was scaled to zero at zero', async () => {
    replicas.apply(ready)

    await scale(0)

    const observedAtMs = clock.nowMs()
    expect(shared.observed).toEqual([{ ...ready, phase: 'zero', desired: 0, available: 0, observedAtMs }])
  })

  it('shows how many replicas of a ready function are wanted', async () => {
    replicas.apply(ready)

    await scale(4)

    expect(shared.observed).toEqual([{ ...ready, desired: 4, observedAtMs: clock.nowMs() }])
  })

  it.each<[string, Partial<FunctionState>]>([
    ['zero', { phase: 'zero', desired: 0 }],
    ['failed', { phase: 'failed', reason: 'image', failures: 3, retryAtMs: 9e15 }],
    ['waking', { phase: 'waking' }],
  ])('leaves it to the next call how a function is that was scaled up while %s', async (_phase, changes) => {
    replicas.apply({ ...ready, available: 0, ...changes })

    await scale(2)

    expect([shared.forgotten, shared.observed]).toEqual([[echo], []])
  })

  it('makes them forget a scaled function that this gateway does not know, for others may', async () => {
    await scale(0)

    expect(shared.forgotten).toEqual([echo])
  })

  it('is not told when the provider refuses to scale', async () => {
    replicas.apply(ready)
    provider.answer = (_request, response) => response.writeHead(400).end()

    await scale(0)

    expect(shared.count).toBe(0)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import type { HandlerProvider } from '../../unit/plugins/provider-client/handler-provider.ts'
import { OneFunction } from './one-function.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let api: SystemApi

beforeAll(async () => {
  api = await SystemApi.start()
})

afterAll(() => api[Symbol.asyncDispose]())

/** Answers status calls with 2 replicas of at most 10, unless `faulty` answers first. */
function functions(faulty: (name: string) => number | undefined = () => undefined): HandlerProvider['answer'] {
  return ({ method, target }, response) => {
    const name = /\/system\/(?:scale-)?function\/([^/?]+)/.exec(target)?.[1] ?? ''
    const status = faulty(name)
    if (status !== undefined) response.writeHead(status).end('dial tcp 10.0.0.17:6443')
    else if (method === 'POST') response.writeHead(202).end()
    else response.end(JSON.stringify({ name, replicas: 2, labels: { 'com.openfaas.scale.max': '10' } }))
  }
}

function notification(...alerts: readonly (readonly [name: string, status: string])[]): RequestInit {
  const list = alerts.map(([name, status]) => ({ status, labels: { function_name: name, alertname: 'x' } }))
  return { body: JSON.stringify({ version: '4', receiver: 'scale-up', alerts: list }) }
}

function scaled(): Record<string, unknown> {
  const posts = api.seen.filter(({ method }) => method === 'POST')
  return Object.fromEntries(posts.map(({ target, body }) => [target, JSON.parse(body).replicas]))
}

describe('POST /system/alert', () => {
  it('scales every function that an alert names', async () => {
    api.serve(functions())

    const answer = await api.call('POST', '/system/alert', notification(['a', 'firing'], ['b.dev', 'resolved']))

    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(scaled()).toEqual({
      '/system/scale-function/a?namespace=fn': 3,
      '/system/scale-function/b?namespace=dev': 1,
    })
  })

  it('leaves waking a function to be done once: a call that follows does not scale it again', async () => {
    const provider = new OneFunction()
    api.serve(provider.answer)

    await api.call('POST', '/system/alert', notification(['echo', 'firing']))
    const answer = await api.call('GET', '/function/echo')

    expect([answer.status, await answer.text()]).toEqual([200, 'echo'])
    expect(provider.scaleBodies).toMatchObject([{ serviceName: 'echo', replicas: 1 }])
  })

  it('skips functions that are unknown, and alerts that name none', async () => {
    api.serve(functions((name) => (name === 'gone' ? 404 : undefined)))
    const body = JSON.stringify({
      alerts: [{ status: 'firing', labels: {} }, { status: 'firing', labels: { function_name: 'gone' } }, 7],
    })

    const answer = await api.call('POST', '/system/alert', { body })

    expect([answer.status, await answer.text()]).toEqual([200, ''])
    expect(scaled()).toEqual({})
  })

  it('reports the alerts that could not be followed, without addresses, and follows the others', async () => {
    api.serve(functions((name) => (name.startsWith('bad') ? 500 : undefined)))

    const answer = await api.call(
      'POST',
      '/system/alert',
      notification(['a', 'firing'], ['bad1', 'firing'], ['bad2', 'firing']),
    )

    expect(answer.status).toBe(500)
    const lines = (await answer.text()).split('\n')
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['[1] ', '[2] '])
    expect(lines.join()).not.toMatch(/10\.0\.0|127\.0\.0\.1|http:/)
    expect(scaled()).toEqual({ '/system/scale-function/a?namespace=fn': 3 })
  })

  it('reports a provider that does not answer', async () => {
    api.serve((_request, response) => response.socket?.resetAndDestroy())

    const answer = await api.call('POST', '/system/alert', notification(['a', 'firing']))

    expect([answer.status, await answer.text()]).toEqual([500, '[0] the provider did not answer'])
  })

  it.each(['', 'x', '[', 'null', '{"alerts":{}}'])('refuses the body %j', async (body) => {
    const answer = await api.call('POST', '/system/alert', { body })

    expect([answer.status, await answer.text()]).toEqual([400, 'Unable to parse alert, bad format.'])
  })

  it('refuses a body of more than 1 MiB', async () => {
    const answer = await api.call('POST', '/system/alert', { body: 'x'.repeat(1024 * 1024 + 1) })

    expect([answer.status, await answer.text()]).toEqual([400, 'Unable to read alert.'])
  })

  it('accepts a notification without alerts', async () => {
    expect((await api.call('POST', '/system/alert', { body: '{}' })).status).toBe(200)
  })
})

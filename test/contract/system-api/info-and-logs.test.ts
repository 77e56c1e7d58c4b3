import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, requestBytes } from '../../support/raw-http.ts'
import { flood, HandlerProvider, json } from '../../unit/plugins/provider-client/handler-provider.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let api: SystemApi

beforeAll(async () => {
  api = await SystemApi.start()
})

afterAll(() => api[Symbol.asyncDispose]())

describe('GET /system/info', () => {
  it('joins the facts of provider and gateway', async () => {
    const provider = {
      provider: 'faasd-ce',
      version: { sha: 'abc', release: '1.2' },
      orchestration: 'containerd',
      more: 1,
    }
    api.serve(json(provider))

    const answer = await api.call('GET', '/system/info')

    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({
      provider,
      version: { commit_message: expect.any(String), sha: '', release: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      arch: process.arch,
    })
    expect(api.seen).toMatchObject([{ method: 'GET', target: '/system/info' }])
  })

  it('always has a version of the provider, which clients read unasked', async () => {
    api.serve(json({ provider: 'old' }))

    expect(await (await api.call('GET', '/system/info')).json()).toMatchObject({
      provider: { provider: 'old', orchestration: '', version: { sha: '', release: '' } },
    })
  })

  it.each<[string, HandlerProvider['answer']]>([
    ['resets', (_request, response) => void response.socket?.resetAndDestroy()],
    ['hangs', () => {}],
    ['answers 500', json({ provider: 'x' }, 500)],
    ['answers HTML', (_request, response) => void response.end('<html>')],
    ['answers null', json(null)],
    ['answers half', (_request, response) => void response.end('{"provider":')],
    ['floods', flood(100, { mebibytes: 0 })],
  ])('answers 503 when the provider %s', async (_case, answer) => {
    api.serve(answer)

    const response = await api.call('GET', '/system/info')

    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.text()).not.toContain('127.0.0.1')
  })
})

describe('GET /system/logs', () => {
  it('streams lines as they come, of the type the source says', async () => {
    let finish = (): void => {}
    api.serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).write('{"text":"a"}\n')
      finish = () => response.end('{"text":"b"}\n')
    })
    await using connection = await RawConnection.open(api.url)

    await connection.send(requestBytes('GET', '/system/logs?name=x&follow=1&since=2026-01-01T00%3A00%3A00Z'))
    await connection.shows('{"text":"a"}')
    finish()
    const answer = await connection.response()

    expect(header(answer, 'content-type')).toBe('application/x-ndjson')
    expect(answer.body.toString()).toBe('{"text":"a"}\n{"text":"b"}\n')
    expect(api.seen[0]?.target).toBe('/system/logs?name=x&follow=1&since=2026-01-01T00%3A00%3A00Z')
  })

  it('calls lines of a source without a type ndjson', async () => {
    api.serve((_request, response) => response.end('{}\n'))

    expect((await api.call('GET', '/system/logs')).headers.get('content-type')).toBe('application/x-ndjson')
  })

  it.each([
    [404, 501, ''],
    [501, 501, ''],
    [422, 500, 'unknown log request error (422)\n'],
    [500, 500, 'unknown log request error (500)\n'],
  ])('answers %i of the source by %i %j', async (status, expected, text) => {
    api.serve((_request, response) => response.writeHead(status).end('secret'))

    const answer = await api.call('GET', '/system/logs')

    expect([answer.status, await answer.text()]).toEqual([expected, text])
  })

  it('says that a source failed which does not answer', async () => {
    api.serve((_request, response) => response.socket?.resetAndDestroy())

    const answer = await api.call('GET', '/system/logs')

    expect([answer.status, await answer.text()]).toEqual([500, 'log request failed\n'])
  })

  it('ends the call to the source when the client leaves', async () => {
    let cancelled = false
    api.serve((_request, response) => {
      response.once('close', () => (cancelled = true))
      response.write('{}\n')
    })
    const connection = await RawConnection.open(api.url)
    await connection.send(requestBytes('GET', '/system/logs?follow=true'))
    await connection.shows('{}')

    connection.abort()

    await eventually('the call to end', () => cancelled)
    await connection[Symbol.asyncDispose]()
  })

  it('waits for the first line when it follows, and for an answer only so long when it does not', async () => {
    await using impatient = await SystemApi.start({ upstream_timeout: '100ms' })
    impatient.serve((_request, response) => setTimeout(() => response.end('{}\n'), 250))

    const followed = await impatient.call('GET', '/system/logs?follow=true')
    const read = await impatient.call('GET', '/system/logs')

    expect(await followed.text()).toBe('{}\n')
    expect(await read.text()).toBe('log request failed\n')
  })

  it('reads from the source that logs_provider_url names, below its path', async () => {
    await using logs = await HandlerProvider.start((_request, response) => response.end('{"from":"logs"}\n'))
    await using other = await SystemApi.start({ logs_provider_url: `${logs.url.href}loki` })

    const answer = await other.call('GET', '/system/logs?name=x')

    expect(await answer.text()).toBe('{"from":"logs"}\n')
    expect(logs.seen.map(({ target }) => target)).toEqual(['/loki/system/logs?name=x'])
  })
})

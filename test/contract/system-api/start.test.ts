import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { flood, json, type HandlerProvider } from '../../unit/plugins/provider-client/handler-provider.ts'
import { OneFunction } from './one-function.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks()

describe('a gateway that starts', () => {
  it.each<[string, HandlerProvider['answer']]>([
    ['resets', (_request, response) => void response.socket?.resetAndDestroy()],
    ['hangs', () => {}],
    ['answers 500', json('no', 500)],
    ['answers HTML', (_request, response) => void response.end('<html>')],
    ['answers half', (_request, response) => void response.end('[{"name":')],
    ['floods', flood(100, { mebibytes: 0 })],
  ])('serves although the provider %s', async (_case, answer) => {
    const startedMs = performance.now()
    await using api = await SystemApi.start({}, { answer })

    expect(performance.now() - startedMs).toBeLessThan(3_000)
    expect((await api.raw('GET', '/healthz')).status).toBe(200)
    await eventually('one line about it', () => api.log.messages('warn').length === 1)
  })

  it('knows the functions of the provider before the first call', async () => {
    const provider = new OneFunction()
    provider.replicas = 1
    await using api = await SystemApi.start({}, { answer: provider.answer })
    api.provider.seen.length = 0

    expect((await api.raw('GET', '/function/echo')).status).toBe(200)

    expect(api.seen.map(({ target }) => target)).toEqual(['/function/echo'])
  })
})

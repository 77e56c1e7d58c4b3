import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, rawRequest, requestBytes } from '../../support/raw-http.ts'
import type { RawResponse } from '../../support/raw-response.ts'
import { ScriptedProvider } from '../../support/scripted-provider.ts'
import { PluginFolder } from './plugin-folder.ts'

/** A package: provides a service and adds a header. */
const greeter = `
  import { definePlugin, service, token } from 'pilotlight'
  export const Greeter = token('Greeter')
  export default definePlugin({
    name: 'greeter',
    needs: {},
    provides: [Greeter],
    options: { parse: ({ word, ...rest }) => {
      if (Object.keys(rest).length > 0) throw new Error('unknown options: ' + Object.keys(rest))
      return { word: word ?? 'hello' }
    } },
    setup({ options }) {
      return {
        services: [service(Greeter, { greet: () => options.word })],
        invocation: {
          stage: 'admit',
          handle: async (exchange, next) => {
            const reply = await next(exchange)
            reply.headers.push('X-Order', 'greeter')
            return reply
          },
        },
      }
    },
  })`

/** A file in TypeScript: uses the service of the package, refuses calls, serves a route. */
const guard = `
  import { Clock, contextKey, definePlugin, GatewayError, textReply, type Middleware } from 'pilotlight'
  import { Greeter } from 'greeter'
  const checked = contextKey<boolean>('checked', false)
  export const plugin = definePlugin({
    name: 'guard',
    needs: { greeter: Greeter, clock: Clock },
    options: { parse: () => ({}) },
    setup({ deps }) {
      const handle: Middleware = async (exchange, next) => {
        if (exchange.request.header('x-limit') === 'reached') throw new GatewayError('rate_limited', 'one call at a time')
        if (exchange.request.header('x-bug') !== undefined) throw new TypeError('guard is broken')
        exchange.set(checked, true)
        const reply = await next(exchange)
        reply.headers.push('X-Order', exchange.get(checked) ? 'guard' : 'unchecked')
        reply.onEnd(() => { if (exchange.request.header('x-late-bug') !== undefined) throw new Error('late bug') })
        return reply
      }
      return {
        invocation: { stage: 'admit', handle },
        routes: [{
          methods: ['GET'],
          path: '/guard/{name}',
          handle: async ({ params }) => textReply(200, deps.greeter.greet() + ' ' + params.name),
        }],
      }
    },
  })`

describe('plugins of somebody else', () => {
  let folder: PluginFolder
  let provider: ScriptedProvider
  let gateway: GatewayProcess
  guardAgainstLeaks('file')
  beforeAll(async () => {
    folder = new PluginFolder()
    folder.installPackage('greeter', greeter)
    folder.write('plugins/guard.ts', guard)
    provider = await ScriptedProvider.start({ name: 'echo' })
    const args = folder.configure({
      functionsProviderUrl: provider.url,
      plugins: ['provider-client', './plugins/guard.ts', { use: 'greeter', options: { word: 'welcome' } }],
    })
    gateway = await startGatewayProcess({ args })
  })
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]()
    await provider?.[Symbol.asyncDispose]()
    folder?.[Symbol.dispose]()
  })

  const call = (target: string, fields: readonly string[] = []): Promise<RawResponse> =>
    rawRequest(gateway.url, requestBytes('GET', target, fields))

  it('are loaded from a path and from a package, and stand in the order of the configuration', async () => {
    const response = await call('/function/echo')

    expect(response.status).toBe(200)
    expect(response.fields.filter(([name]) => name === 'X-Order').map(([, value]) => value)).toEqual([
      'greeter',
      'guard',
    ])
  })

  it('provide services to each other, whatever their order, and serve routes', async () => {
    const response = await call('/guard/you')

    expect(response.body.toString()).toBe('welcome you')
  })

  it('refuse calls with errors that core explains', async () => {
    const response = await call('/function/echo', ['X-Limit: reached'])

    expect(response.status).toBe(429)
    expect(header(response, 'retry-after')).toBe('1')
    expect(JSON.parse(response.body.toString())).toMatchObject({ code: 'rate_limited', detail: 'one call at a time' })
  })

  it('cost nothing when they fail after the answer', async () => {
    const answers = [await call('/function/echo', ['X-Late-Bug: 1']), await call('/function/echo')]

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    await eventually('the warning', () => gateway.output.includes('late bug'))
  })

  it('cost a call, not the gateway, when they are broken', async () => {
    const broken = await call('/function/echo', ['X-Bug: 1'])
    const next = await call('/function/echo')

    expect([broken.status, next.status]).toEqual([500, 200])
    expect(broken.body.toString()).not.toContain('guard is broken')
    expect(gateway.output).toContain('guard is broken')
  })
})

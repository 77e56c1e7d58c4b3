import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  BufferReply,
  definePlugin,
  GatewayConfig,
  GatewayError,
  service,
  token,
  type Middleware,
  type Plugin,
} from '#core'
import { eventually } from '../../support/eventually.ts'
import { loaded, someHost, somePlugin } from './plugins.ts'

interface Greeter {
  greet(): string
}
const Greeter = token<Greeter>('Greeter')

function greeting(text: string): Plugin {
  return somePlugin('greeting', {
    provides: [Greeter],
    instance: { services: [service(Greeter, { greet: () => text })] },
  })
}

/** Notes when it is closed. */
function closing(name: string, closed: string[], more: Partial<Plugin> = {}): Plugin {
  const instance = { [Symbol.asyncDispose]: async () => void closed.push(name) }
  return { ...somePlugin(name, { instance }), ...more }
}

describe('booting plugins', () => {
  it('hands a plugin its decoded options, what it needs, and a log that bears its name', async () => {
    const { host, log } = someHost()
    const seen: unknown[] = []
    const plugin = definePlugin({
      name: 'counter',
      needs: { config: GatewayConfig },
      options: z.strictObject({ step: z.coerce.number().default(1) }),
      setup({ options, deps, log: own }) {
        seen.push(options.step, deps.config.port)
        own.info('set up')
        return {}
      },
    })

    await host.boot([{ plugin, options: { step: '5' }, path: 'plugins[0]' }])

    expect(seen).toEqual([5, 8080])
    expect(log.lines).toMatchObject([{ message: 'set up', fields: { plugin: 'counter' } }])
  })

  it('sets a plugin up after the one that provides what it needs, whatever their order in the configuration', async () => {
    const { host } = someHost()
    let greeted = ''
    const user = definePlugin({
      name: 'user',
      needs: { greeter: Greeter },
      options: z.strictObject({}),
      setup({ deps }) {
        greeted = deps.greeter.greet()
        return {}
      },
    })

    await host.boot(loaded(user, greeting('hello')))

    expect(greeted).toBe('hello')
  })

  it('lets a plugin replace what core provides', async () => {
    const { host, container } = someHost()
    container.add(Greeter, () => ({ greet: () => 'core' }))

    await host.boot(loaded(greeting('plugin')))

    expect(container.resolve(Greeter).greet()).toBe('plugin')
  })

  it('names plugin and path of every option that is wrong, of all plugins at once', async () => {
    const { host } = someHost()
    const strict = somePlugin('strict')
    const other = { ...somePlugin('other'), options: z.strictObject({ retry: z.strictObject({ times: z.number() }) }) }

    const booted = host.boot([
      { plugin: strict, options: { tpyo: 1 }, path: 'plugins[0]' },
      { plugin: other, options: { retry: { times: 'three' } }, path: 'plugins[1]' },
    ])

    await expect(booted).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(booted).rejects.toThrow(/^plugins\[0\] \(strict\): options: .*"tpyo"/m)
    await expect(booted).rejects.toThrow(/^plugins\[1\] \(other\): options\.retry\.times: /m)
  })

  it('prints what a schema of another kind throws', async () => {
    const { host } = someHost()
    const options = {
      parse: () => {
        throw new TypeError('wants a colour')
      },
    }

    const booted = host.boot(loaded({ ...somePlugin('picky'), options }))

    await expect(booted).rejects.toThrow('plugins[0] (picky): wants a colour')
  })

  it('runs no setup when the options of any plugin are wrong', async () => {
    const { host } = someHost()
    const done: string[] = []
    const first = somePlugin('first', { setup: () => (done.push('first'), {}) })

    const booted = host.boot([
      { plugin: first, options: undefined, path: 'plugins[0]' },
      { plugin: somePlugin('second'), options: { wrong: 1 }, path: 'plugins[1]' },
    ])

    await expect(booted).rejects.toMatchObject({ code: 'config_invalid' })
    expect(done).toEqual([])
  })

  it('is done once', async () => {
    const { host } = someHost()
    await host.boot([])

    await expect(host.boot(loaded(somePlugin('late')))).rejects.toMatchObject({ code: 'plugin_after_start' })
  })

  it('takes every kind of contribution as configured, layers by stage first', async () => {
    const { host } = someHost()
    const layer = (name: string): Middleware => Object.assign(async () => new BufferReply(200), { label: name })
    const at = (name: string, stage: 'observe' | 'admit' | 'place'): Plugin =>
      somePlugin(name, {
        instance: {
          invocation: { stage, handle: layer(name) },
          routes: [{ methods: ['GET'], path: `/${name}`, handle: async () => new BufferReply(200) }],
          system: [{ prefix: `/${name}`, handle: (request, next) => next(request) }],
        },
      })

    await host.boot(loaded(at('c', 'place'), at('a', 'observe'), at('b2', 'admit'), at('b1', 'admit')))

    expect(host.layers.map((one) => (one as Middleware & { label: string }).label)).toEqual(['a', 'b2', 'b1', 'c'])
    expect(host.routes.map(({ path }) => path)).toEqual(['/c', '/a', '/b2', '/b1'])
    expect(host.systemLayers.map(({ prefix }) => prefix)).toEqual(['/c', '/a', '/b2', '/b1'])
  })
})

describe('a plugin that cannot be set up', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no such file')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such file'))],
  ])('is named when its setup %s, with the text of the error', async (_, setup) => {
    const { host } = someHost()

    const booted = host.boot(loaded(somePlugin('broken', { setup })))

    await expect(booted).rejects.toMatchObject({
      code: 'plugin_setup_failed',
      message: 'setup of plugin "broken" failed: no such file',
    })
  })

  it('is named and keeps its code when it throws an error of the gateway', async () => {
    const { host } = someHost()
    const setup = (): never => {
      throw new GatewayError('config_invalid', 'the folder is empty')
    }

    const booted = host.boot(loaded(somePlugin('picky', { setup })))

    await expect(booted).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'setup of plugin "picky" failed: the folder is empty',
    })
  })

  it('is named when its setup returns nothing', async () => {
    const { host } = someHost()
    const setup = (() => undefined) as unknown as Plugin['setup'] // what plain JavaScript may do

    const booted = host.boot(loaded(somePlugin('forgetful', { setup })))

    await expect(booted).rejects.toMatchObject({ code: 'plugin_setup_failed' })
    await expect(booted).rejects.toThrow('setup of plugin "forgetful" returned no instance')
  })

  it('is named when its setup hangs; what was set up before is closed, last first', async () => {
    const { host, clock, teardown } = someHost()
    const closed: string[] = []
    const hanging = somePlugin('hanging', { setup: () => new Promise(() => {}) })
    const booted = host.boot(loaded(closing('first', closed), closing('second', closed), hanging))

    await Promise.all([
      expect(booted).rejects.toMatchObject({
        code: 'plugin_setup_timeout',
        message: 'setup of plugin "hanging" did not finish within 10000 ms',
      }),
      clock.advance(10_000),
    ])
    await teardown[Symbol.asyncDispose]()

    expect(closed).toEqual(['second', 'first'])
    expect(clock.pending).toBe(0)
  })

  it('is closed when its setup finishes after its time', async () => {
    const { host, clock } = someHost()
    const closed: string[] = []
    const late = Promise.withResolvers<AsyncDisposable>()
    const booted = host.boot(loaded(somePlugin('late', { setup: () => late.promise })))
    await Promise.all([expect(booted).rejects.toMatchObject({ code: 'plugin_setup_timeout' }), clock.advance(10_000)])

    late.resolve({ [Symbol.asyncDispose]: async () => void closed.push('late') })

    await eventually('the late plugin to be closed', () => closed.length > 0)
  })

  it('is refused, and closed, when it does not return a service that it promised', async () => {
    const { host, teardown } = someHost()
    const closed: string[] = []

    const booted = host.boot(loaded(closing('liar', closed, { provides: [Greeter] })))
    await expect(booted).rejects.toMatchObject({
      code: 'plugin_setup_failed',
      message: 'plugin "liar" promised Greeter but its setup returned none',
    })
    await teardown[Symbol.asyncDispose]()

    expect(closed).toEqual(['liar'])
  })
})

describe('background tasks', () => {
  it('start when every plugin is set up, and stop before any plugin is closed', async () => {
    const { host, teardown } = someHost()
    const order: string[] = []
    const working = somePlugin('working', {
      setup: () => {
        order.push('working is set up')
        return {
          task: {
            start: (signal) => {
              order.push('started')
              signal.addEventListener('abort', () => order.push('stopped'))
            },
          },
          [Symbol.asyncDispose]: async () => void order.push('closed'),
        }
      },
    })
    const last = somePlugin('last', { setup: () => (order.push('last is set up'), {}) })

    await host.boot(loaded(working, last))
    await host.startTasks()
    await teardown[Symbol.asyncDispose]()

    expect(order).toEqual(['working is set up', 'last is set up', 'started', 'stopped', 'closed'])
  })

  it.each([
    ['fails', () => Promise.reject(new Error('no port')), 'plugin_setup_failed', 'failed: no port'],
    ['hangs', () => new Promise<void>(() => {}), 'plugin_setup_timeout', 'did not finish within 10000 ms'],
  ])('name the plugin whose task %s to start', async (_, start, code, text) => {
    const { host, clock } = someHost()
    await host.boot(loaded(somePlugin('worker', { instance: { task: { start } } })))

    const started = host.startTasks()

    await Promise.all([
      expect(started).rejects.toMatchObject({ code, message: `the background task of plugin "worker" ${text}` }),
      clock.advance(10_000),
    ])
  })
})

describe('readiness of plugins', () => {
  it('has a reason from each plugin that does not want traffic, one whose check throws included', async () => {
    const { host } = someHost()
    const fails = (): never => {
      throw new Error('not connected')
    }
    await host.boot(
      loaded(
        somePlugin('content', { instance: { unready: () => undefined } }),
        somePlugin('silent'),
        somePlugin('waiting', { instance: { unready: () => 'no listing yet' } }),
        somePlugin('broken', { instance: { unready: fails } }),
      ),
    )

    expect(host.unready()).toEqual(['waiting: no listing yet', 'broken: its readiness check failed: not connected'])
  })
})

describe('draining plugins', () => {
  it('has all of them finish at the same time', async () => {
    const { host } = someHost()
    const order: string[] = []
    const first = Promise.withResolvers<void>()
    const drains = [
      async (): Promise<void> => {
        await first.promise
        order.push('first')
      },
      async (): Promise<void> => {
        order.push('second')
        first.resolve()
      },
    ]
    await host.boot(loaded(...drains.map((drain, at) => somePlugin(`plugin-${at}`, { instance: { drain } }))))

    await host.drain(new AbortController().signal)

    expect(order).toEqual(['second', 'first'])
  })

  it.each([
    [
      'throws',
      (): never => {
        throw new Error('lost connection')
      },
    ],
    ['rejects', () => Promise.reject(new Error('lost connection'))],
  ])('goes on, and says so, when one %s', async (_, drain) => {
    const { host, log } = someHost()
    let isDrained = false
    const other = somePlugin('other', { instance: { drain: async () => void (isDrained = true) } })
    await host.boot(loaded(somePlugin('broken', { instance: { drain } }), other))

    await host.drain(new AbortController().signal)

    expect(isDrained).toBe(true)
    expect(log.messages('warn')).toEqual(['draining plugin "broken" failed'])
  })

  it('ends at the deadline although one hangs', async () => {
    const { host, log } = someHost()
    const deadline = new AbortController()
    await host.boot(loaded(somePlugin('hanging', { instance: { drain: () => new Promise(() => {}) } })))

    const drained = host.drain(deadline.signal)
    deadline.abort()
    await drained

    expect(log.messages('warn')).toEqual(['draining plugin "hanging" failed'])
  })

  it('needs no plugin: a deadline that passes later disturbs nobody', async () => {
    const { host } = someHost()
    const deadline = new AbortController()
    await host.boot([])

    await host.drain(deadline.signal)
    deadline.abort()

    await new Promise((resolve) => setImmediate(resolve)) // an unhandled rejection would fail the run
  })

  it('does not wait when the deadline has passed already', async () => {
    const { host } = someHost()
    await host.boot(loaded(somePlugin('hanging', { instance: { drain: () => new Promise(() => {}) } })))

    await expect(host.drain(AbortSignal.abort())).resolves.toBeUndefined()
  })
})

describe('closing plugins', () => {
  it('is done in reverse order of setup, all of it even when one throws', async () => {
    const { host, teardown } = someHost()
    const closed: string[] = []
    const broken = somePlugin('broken', {
      instance: { [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) },
    })
    await host.boot(loaded(closing('first', closed), broken, closing('last', closed)))

    const error: AggregateError = await teardown[Symbol.asyncDispose]().then(
      () => expect.unreachable('closing reports the failure'),
      (reason) => reason,
    )

    expect(closed).toEqual(['last', 'first'])
    expect(error.errors.map(String)).toEqual(['Error: closing plugin "broken" failed: stuck'])
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { noisyPlugin, PluginFolder } from './plugin-folder.ts'

guardAgainstLeaks()

let folder: PluginFolder
beforeEach(() => {
  folder = new PluginFolder()
})
afterEach(() => folder[Symbol.dispose]())

/** Runs a gateway that is expected to end by itself. */
async function run(
  configuration: Readonly<Record<string, unknown>>,
): Promise<GatewayProcess & { code: number | null }> {
  const gateway = new GatewayProcess({ args: folder.configure(configuration) })
  const { code } = await gateway.exited
  return Object.assign(gateway, { code })
}

/** The lines that the noisy plugins logged, in order. */
function noise({ logs }: GatewayProcess): readonly string[] {
  return logs.filter((line) => line['plugin'] !== undefined).map((line) => String(line['message']))
}

describe('a gateway whose plugins cannot be loaded', () => {
  it('names every entry at fault, and exits 2', async () => {
    folder.write('empty.js', 'export const nothing = 1')
    folder.write('broken.js', 'export default {')
    folder.write('throws.js', 'throw new Error("no licence")')

    const gateway = await run({
      plugins: ['./empty.js', './missing.js', 'no-such-package', './broken.js', './throws.js', '@scope/none'],
    })

    expect(gateway.code).toBe(2)
    for (const text of [
      'plugins[0]: "./empty.js" exports no plugin; export it as default, made with definePlugin',
      'plugins[1]: plugin "./missing.js" cannot be loaded',
      'plugins[2]: plugin "no-such-package" cannot be loaded',
      'plugins[3]: plugin "./broken.js" cannot be loaded',
      'plugins[4]: plugin "./throws.js" cannot be loaded: no licence',
      'plugins[5]: plugin "@scope/none" cannot be loaded',
    ]) {
      expect(gateway.output).toContain(text)
    }
  })

  it('names the plugin and the option that it does not know, and exits 2', async () => {
    const gateway = await run({
      functionsProviderUrl: 'http://127.0.0.1:1/',
      plugins: ['provider-client', { use: 'scale-from-zero', options: { pollFrist: '5ms' } }],
    })

    expect(gateway.code).toBe(2)
    expect(gateway.output).toContain('plugins[1] (scale-from-zero): options: Unrecognized key: "pollFrist"')
  })

  it('lists what is missing, and exits 2', async () => {
    const gateway = await run({ functionsProviderUrl: 'http://127.0.0.1:1/', plugins: ['scale-from-zero'] })

    expect(gateway.code).toBe(2)
    expect(gateway.output).toContain('plugin "scale-from-zero" needs ServiceQuery, which no loaded plugin provides')
  })
})

describe('a gateway with a plugin that hangs in its setup', () => {
  it('names it, closes what was set up before, last first, and exits 1', async () => {
    for (const name of ['first', 'second']) folder.write(`${name}.js`, noisyPlugin(name))
    folder.write('hanging.js', noisyPlugin('hanging', { setup: 'await new Promise(() => {})' }))

    const gateway = await run({
      functionsProviderUrl: 'http://127.0.0.1:1/',
      pluginSetupTimeout: '100ms',
      plugins: ['./first.js', './second.js', './hanging.js'],
    })

    expect(gateway.code).toBe(1)
    expect(gateway.output).toContain('setup of plugin "hanging" did not finish within 100 ms')
    expect(noise(gateway)).toEqual(['first is set up', 'second is set up', 'second is closed', 'first is closed'])
  })
})

describe('a gateway that is told to stop', () => {
  it('drains its plugins, stops their tasks, closes them last first although one throws, and exits 1', async () => {
    folder.write('first.js', noisyPlugin('first'))
    folder.write('stuck.js', noisyPlugin('stuck', { dispose: 'throw new Error("handle is busy")' }))
    folder.write('last.js', noisyPlugin('last'))
    const gateway = await startGatewayProcess({
      args: folder.configure({
        functionsProviderUrl: 'http://127.0.0.1:1/',
        plugins: ['./first.js', './stuck.js', './last.js'],
      }),
    })

    gateway.signal('SIGTERM')
    const exit = await gateway.exited

    expect(exit).toEqual({ code: 1, signal: null })
    expect(gateway.output).toContain('handle is busy')
    expect(noise(gateway)).toEqual([
      ...['first is set up', 'stuck is set up', 'last is set up'],
      ...['first drains', 'stuck drains', 'last drains'],
      ...['task of first stops', 'task of stuck stops', 'task of last stops'],
      ...['last is closed', 'first is closed'],
    ])
  })
})

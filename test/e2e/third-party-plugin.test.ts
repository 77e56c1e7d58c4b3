import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { examplePlugin, PluginProject } from '../support/plugin-project.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { projectRoot } from '../support/source-files.ts'

const builtIn = ['provider-client', 'notifier', 'scale-from-zero']

let provider: ScriptedProvider
let project: PluginProject

guardAgainstLeaks()
beforeEach(async () => {
  provider = await ScriptedProvider.start({ name: 'slow' })
  project = new PluginProject()
})
afterEach(async () => {
  project[Symbol.dispose]()
  await provider[Symbol.asyncDispose]()
})

function configuredWith(use: string, options: unknown): string {
  return project.configure({
    functionsProviderUrl: provider.url,
    ...(use === './broken.ts' && { pluginSetupTimeout: '200ms' }),
    plugins: [...builtIn, { use, options }],
  })
}

/** Lets the function answer only when it is told to. */
function holdAnswers(): { readonly begun: () => boolean; readonly answer: () => void } {
  const waiting: (() => void)[] = []
  provider.function('slow').handler = (request, response) => {
    request.resume()
    waiting.push(() => response.end('done'))
  }
  return { begun: () => waiting.length > 0, answer: () => waiting.splice(0).forEach((answer) => answer()) }
}

function call(gateway: GatewayProcess, caller: string): Promise<Response> {
  return fetch(`${gateway.url}/function/slow`, { headers: { 'x-api-key': caller, connection: 'close' } })
}

describe('a plugin from outside the project', () => {
  it.each([
    ['a path', './caller-limit.ts', () => project.addSource()],
    ['a package name', 'pilotlight-caller-limit', () => project.addPackage('pilotlight-caller-limit')],
  ])('is loaded by %s and takes part in calls', async (_how, use, install) => {
    install()
    const config = configuredWith(use, { maxInFlight: 1 })
    await using gateway = await startGatewayProcess({ args: ['--config', config] })
    const functions = holdAnswers()

    const first = call(gateway, 'ada')
    await eventually('the first call to arrive', functions.begun)
    const second = await call(gateway, 'ada')

    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('1')
    expect(await second.json()).toMatchObject({ code: 'rate_limited', detail: '1 calls are in flight already' })
    expect(await gateway.metrics()).toContain('\ncaller_limit_refusals_total 1\n')
    functions.answer()
    expect((await first).status).toBe(200)
  })

  it('gives a place back when the answer is complete, and has one for each caller', async () => {
    project.addSource()
    await using gateway = await startGatewayProcess({
      args: ['--config', configuredWith('./caller-limit.ts', { maxInFlight: 1 })],
    })
    const functions = holdAnswers()

    const ada = call(gateway, 'ada')
    await eventually('the first call to arrive', functions.begun)
    const bob = call(gateway, 'bob')
    await eventually('the other call to arrive', () => provider.count('invoke') === 2)
    functions.answer()
    await Promise.all([ada, bob].map(async (response) => (await response).text()))
    const again = call(gateway, 'ada')
    await eventually('the next call to arrive', functions.begun)
    functions.answer()

    expect((await again).status).toBe(200)
  })

  it('gives a place back when the caller leaves', async () => {
    project.addSource()
    await using gateway = await startGatewayProcess({
      args: ['--config', configuredWith('./caller-limit.ts', { maxInFlight: 1 })],
    })
    const functions = holdAnswers()
    const leaving = new AbortController()
    const headers = { 'x-api-key': 'ada', connection: 'close' }

    const left = fetch(`${gateway.url}/function/slow`, { headers, signal: leaving.signal }).catch(() => 'left')
    await eventually('the call to arrive', functions.begun)
    leaving.abort()
    await left
    provider.function('slow').handler = (_request, response) => response.end('done')

    await eventually('the place to be free', async () => (await call(gateway, 'ada')).status === 200)
  })
})

describe('a configuration with a plugin from outside the project', () => {
  it.each([
    ['an option it does not have', { maxInflight: 1 }, /plugins\[3\] \(caller-limit\): options: .*"maxInflight"/],
    ['a value it refuses', { maxInFlight: 0 }, /plugins\[3\] \(caller-limit\): options\.maxInFlight: /],
  ])('with %s stops the start with exit code 2', async (_what, options, message) => {
    project.addSource()
    const gateway = new GatewayProcess({ args: ['--config', configuredWith('./caller-limit.ts', options)] })

    expect(await gateway.exited).toEqual({ code: 2, signal: null })
    expect(gateway.output).toMatch(message)
  })

  it.each([
    ['is not there', 'no-such-plugin', '', 2, 'plugins[3]: plugin "no-such-plugin" cannot be loaded'],
    ['throws while it is loaded', './broken.ts', "throw new Error('no luck')", 2, 'cannot be loaded: no luck'],
    ['is none', './broken.ts', 'export const other = 1', 2, 'plugins[3]: "./broken.ts" exports no plugin'],
    ['never finishes its setup', './broken.ts', setupThat('await new Promise(() => {})'), 1, 'within 200 ms'],
    ['fails in its setup', './broken.ts', setupThat("throw new Error('no luck')"), 1, '"broken" failed: no luck'],
  ])('that %s stops the start', async (_what, use, text, code, message) => {
    project.addFile('broken.ts', text)
    const gateway = new GatewayProcess({ args: ['--config', configuredWith(use, {})] })

    expect(await gateway.exited).toEqual({ code, signal: null })
    expect(gateway.output).toContain(message)
  })
})

function setupThat(does: string): string {
  return `import { definePlugin } from 'pilotlight'
    const options = { parse: () => ({}) }
    export default definePlugin({ name: 'broken', needs: {}, options, async setup() { ${does}; return {} } })`
}

describe('plugins/README.md', () => {
  it('shows the example plugin as it is', () => {
    const readme = join(projectRoot, 'plugins/README.md')

    expect(existsSync(readme) && readFileSync(readme, 'utf8')).toContain(
      `\`\`\`ts\n${readFileSync(examplePlugin, 'utf8')}\`\`\``,
    )
  })
})

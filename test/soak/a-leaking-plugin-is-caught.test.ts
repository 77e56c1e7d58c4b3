import { Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { PluginProject } from '../support/plugin-project.ts'
import { ask } from '../support/soak-client.ts'
import { addSoakFunctions } from '../support/soak-functions.ts'
import { SoakGateway } from '../support/soak-gateway.ts'
import { expected } from '../support/soak-kind.ts'
import { SoakProvider } from '../support/soak-provider.ts'
import type { Sample } from '../support/soak-sample.ts'
import { SoakTally } from '../support/soak-tally.ts'
import { judge } from './oracle.ts'

/** What a plugin forgets in every call, its code, and what the oracle must say of it. */
const leaks: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['a timer', 'kept.push(setInterval(() => {}, 60_000))', [/resources Timeout grew/, /class Timeout grew/]],
  ['a timer that keeps nothing alive', 'kept.push(setInterval(() => {}, 60_000).unref())', [/class Timeout grew/]],
  [
    'a socket',
    'kept.push(connect(deps.endpoint.url.port))',
    [/descriptors grew/, /TCPSocketWrap grew/, /class Socket grew/],
  ],
  ['memory', 'kept.push(Array.from({ length: 1000 }, (_, index) => index))', [/the heap grew/]],
  ['a buffer', 'kept.push(Buffer.alloc(20_000))', [/memory of buffers grew/]],
  ['an exchange', 'kept.push(exchange)', [/class ServerResponse grew/, /class IncomingMessage grew/]],
  ['a promise', 'kept.push(new Promise(() => {}))', [/class Promise grew/]],
  ['a listener', "emitter.on('anything', () => {})", [/MaxListenersExceededWarning/]],
]

const callers = 4
const callsPerCaller = 60

describe('the oracle of the soak', () => {
  guardAgainstLeaks('file')
  let project: PluginProject
  let provider: SoakProvider
  let gateway: SoakGateway
  const calls = new SoakTally()
  beforeAll(async () => {
    provider = await SoakProvider.start()
    addSoakFunctions(provider)
    project = new PluginProject()
    project.addFile('leaking.ts', leakingPlugin())
    const plugins = ['provider-client', 'notifier', 'scale-from-zero', './leaking.ts']
    const configPath = project.configure({ functionsProviderUrl: provider.scripted.url, plugins })
    gateway = await SoakGateway.start({ provider, configPath, restWithinMs: 1500 })
    await callWith('nothing')
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    project[Symbol.dispose]()
    await provider[Symbol.asyncDispose]()
  })

  async function callWith(leak: string): Promise<Sample> {
    const agent = new Agent({ keepAlive: true })
    const url = `${gateway.process.url}/function/small`
    const callAgain = async (): Promise<void> => {
      for (let count = 0; count < callsPerCaller; count += 1) {
        const end = calls.begin(leak)
        end(expected(await ask({ url, agent, headers: { 'X-Leak': leak } }), 200))
      }
    }
    await Promise.all(Array.from({ length: callers }, callAgain))
    agent.destroy()
    return gateway.sampleAtRest(calls.acts)
  }

  /** What the oracle says of calls that all leak the same. */
  async function violationsOf(leak: string): Promise<readonly string[]> {
    const complained = gateway.complaints.length
    const samples = [await callWith('nothing'), await callWith(leak)]
    const complaints = gateway.complaints.slice(complained)
    return judge({ title: leak, kinds: calls.kinds, fewestActs: 1, samples, complaints }).violations
  }

  it('finds nothing wrong with a plugin that forgets nothing', async () => {
    expect(await violationsOf('nothing')).toEqual([])
  })

  it.each(leaks)('catches a plugin that forgets %s in every call', async (leak, _code, found) => {
    const told = (await violationsOf(leak)).join('; ')

    for (const one of found) expect(told).toMatch(one)
  })
})

/** Leaks what a header says; `nothing` lets go of all that was kept. */
function leakingPlugin(): string {
  const cases = leaks.map(([name, code]) => `${JSON.stringify(name)}: (exchange, deps) => void ${code},`)
  return `import { EventEmitter } from 'node:events'
    import { connect } from 'node:net'
    import { definePlugin, ProviderEndpoint } from 'pilotlight'
    const kept: unknown[] = []
    const emitter = new EventEmitter()
    function letGo() {
      for (const one of kept.splice(0)) {
        one.destroy?.()
        clearInterval(one)
      }
      emitter.removeAllListeners()
    }
    const leaks = { nothing: letGo, ${cases.join('\n')} }
    export default definePlugin({
      name: 'leaking',
      needs: { endpoint: ProviderEndpoint },
      options: { parse: () => ({}) },
      setup({ deps }) {
        const handle = (exchange, next) => {
          leaks[exchange.request.header('x-leak')](exchange, deps)
          return next(exchange)
        }
        return { invocation: { stage: 'admit', handle } }
      },
    })`
}

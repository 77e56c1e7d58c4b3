import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { RedisAddress } from '../../../core/redis/redis-topology.ts'
import { findPrimary } from '../../../core/redis/sentinel-primary.ts'
import { LimitPassed } from '../../../core/redis/within-limit.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

/** What a Sentinel replies to a command, if anything, by the words of the command. */
type Script = (words: readonly string[]) => string | undefined

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const list = (...texts: readonly string[]): string => `*${texts.length}\r\n${texts.map(bulk).join('')}`

/** A Sentinel that says what a test wants, as late as a test wants. */
class ScriptedSentinel implements AsyncDisposable {
  readonly seen: string[] = []
  readonly #server = createServer((socket) => this.#serve(socket))
  readonly #script: Script
  #sockets: Socket[] = []

  constructor(script: Script) {
    this.#script = script
  }

  static async start(script: Script): Promise<ScriptedSentinel> {
    const sentinel = new ScriptedSentinel(script)
    await once(sentinel.#server.listen(0, '127.0.0.1'), 'listening')
    return sentinel
  }

  get address(): RedisAddress {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port } // listens on TCP
  }

  say(reply: string): void {
    for (const socket of this.#sockets) socket.write(reply)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const [command] of data.toString().matchAll(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g)) {
        const words = command.split('\r\n').filter((_, at) => at > 0 && at % 2 === 0)
        this.seen.push(words.join(' ').toLowerCase())
        const reply = this.#script(words)
        if (reply !== undefined) socket.write(reply)
      }
    })
  }
}

/** Names `port` as the primary's, with these fields about it. */
function appoints(port: number, ...fields: readonly string[]): Script {
  return ([name = '', what = '']) => {
    if (name.toLowerCase() !== 'sentinel') return '+OK\r\n'
    return what === 'MASTER' ? list('name', 'main', ...fields) : list('10.0.0.1', `${port}`)
  }
}

function topologyOf(sentinels: readonly ScriptedSentinel[]) {
  return {
    kind: 'sentinel',
    sentinels: sentinels.map(({ address }) => address),
    primaryName: 'main',
    sentinelCredentials: undefined,
    credentials: undefined,
    tls: undefined,
    database: 0,
  } as const
}

const { signal } = new AbortController()

describe('findPrimary', () => {
  guardAgainstLeaks()

  it('has one limit for connecting and asking together', async () => {
    const clock = new FakeClock()
    await using sentinel = await ScriptedSentinel.start(() => undefined)
    const found = findPrimary(topologyOf([sentinel]), { clock, signal, limitMs: 300 }).catch((error: unknown) => error)
    await eventually('the greeting', () => sentinel.seen.length === 1)
    await clock.advance(200)
    sentinel.say('+OK\r\n') // 1. connecting took 200 ms
    await eventually('the questions', () => sentinel.seen.length === 3)

    await clock.advance(100) // 2. the answers do not come

    expect(clock.pending).toBe(0)
    expect(await found).toBeInstanceOf(LimitPassed)
  })

  it.each([
    ['that is no number', ['config-epoch', 'latest']],
    ['without end', ['config-epoch', 'Infinity']],
    ['that is missing', []],
    ['without a value', ['config-epoch']],
  ])('believes a Sentinel with an epoch %s less than any other', async (_, fields) => {
    await using odd = await ScriptedSentinel.start(appoints(1, ...fields))
    await using behind = await ScriptedSentinel.start(appoints(2, 'config-epoch', '6'))
    await using latest = await ScriptedSentinel.start(appoints(3, 'config-epoch', '7'))

    const options = { clock: new SystemClock(), signal, limitMs: 5_000 }
    const orders = [
      [odd, behind, latest],
      [behind, odd, latest],
      [latest, odd, behind],
    ]
    const found = await Promise.all(orders.map((sentinels) => findPrimary(topologyOf(sentinels), options)))

    expect(found.map(({ port }) => port)).toEqual([3, 3, 3])
  })

  it('takes the word of a Sentinel whose epoch is no number when there is no other', async () => {
    await using odd = await ScriptedSentinel.start(appoints(1, 'config-epoch', 'latest'))

    const options = { clock: new SystemClock(), signal, limitMs: 5_000 }

    expect(await findPrimary(topologyOf([odd]), options)).toEqual({ host: '10.0.0.1', port: 1 })
  })
})

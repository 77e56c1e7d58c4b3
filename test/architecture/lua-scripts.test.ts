import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { scriptNames } from '../../core/redis/redis-scripts.ts'
import { eventually } from '../support/eventually.ts'
import { openRedisStore, type OpenedStore } from '../support/open-redis-store.ts'
import { startRedis } from '../support/redis-servers.ts'

const folder = join(import.meta.dirname, '../../core/redis/scripts')
const scripts = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), 'utf8')
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('--'))
  return {
    name: file.replace(/\.lua$/, ''),
    text,
    header: lines.slice(0, end).join('\n'),
    code: lines.slice(end).join('\n'),
  }
})

interface Counts {
  readonly keys: number
  readonly args: number
}

/** The numbers in `KEYS[n]` and `ARGV[n]`, and the largest. */
function numbers(text: string, table: 'KEYS' | 'ARGV', lineStart = ''): number[] {
  return [...text.matchAll(new RegExp(`${lineStart}${table}\\[(\\d+)\\]`, 'gm'))].map(([, number]) => Number(number))
}

function largest(text: string): Counts {
  return { keys: Math.max(0, ...numbers(text, 'KEYS')), args: Math.max(0, ...numbers(text, 'ARGV')) }
}

/** How many keys and arguments the store passes to each script, as a Redis sees it. */
async function passedByTheStore(): Promise<ReadonlyMap<string, Counts>> {
  const nameOf = new Map(scripts.map(({ name, text }) => [createHash('sha1').update(text).digest('hex'), name]))
  const passed = new Map<string, Counts>()
  await using server = await startRedis()
  await using opened = await openRedisStore(server.url)
  const monitor = await new Redis({ ...server.clientOptions(), lazyConnect: true }).monitor()
  try {
    monitor.on('monitor', (_time: string, [command, digest = '', keys, ...rest]: string[]) => {
      const name = command?.toLowerCase() === 'evalsha' ? nameOf.get(digest) : undefined
      if (name !== undefined) passed.set(name, { keys: Number(keys), args: rest.length - Number(keys) })
    })
    await Promise.all(callAll(opened))
    await eventually('all calls to be seen', () => passed.size === scripts.length)
  } finally {
    monitor.disconnect()
  }
  return passed
}

function callAll({ store }: OpenedStore): Promise<unknown>[] {
  return [
    store.acquire('f', { ttlMs: 1, knownVersion: 0, aboveFence: 0 }),
    store.renew('f', { fence: 1, ttlMs: 1 }),
    store.release('f', 1),
    store.write('f', { condition: 'fence', value: 1, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' }),
    store.read('f'),
    store.forget('f'),
    store.holdRole('r', 1),
    store.resignRole('r'),
    store.putEntry('e', { body: 'b', rank: 1, ttlMs: 1 }),
    store.renewEntries(['e'], { ttlMs: 1, note: '' }),
    store.removeEntry('e'),
    store.entries(),
    store.probe('f'),
  ]
}

describe('Lua scripts', () => {
  it('are the ones that the store reads', () => {
    expect(scripts.length).toBeGreaterThan(0)
    expect(scripts.map(({ name }) => name).toSorted()).toEqual(scriptNames.toSorted())
  })

  it.each(scripts)('$name begins with what it does, its keys, its arguments and what it returns', ({ header }) => {
    const keys = numbers(header, 'KEYS', '^-- ')
    const args = numbers(header, 'ARGV', '^-- ')

    expect(header).toMatch(/^-- [A-Z].*\.(?:\n| )/)
    expect(header).toMatch(/^-- returns {2}\S/m)
    expect(keys).toEqual(keys.map((_, at) => at + 1))
    expect(args).toEqual(args.map((_, at) => at + 1))
  })

  it.each(scripts)('$name uses the keys and arguments that its header names, and all of them', ({ header, code }) => {
    expect(largest(code)).toEqual(largest(header))
    expect(new Set(numbers(code, 'ARGV')).size).toBe(largest(header).args)
  })

  it('get from the store as many keys and arguments as they name', async () => {
    const passed = await passedByTheStore()

    expect(Object.fromEntries(passed)).toEqual(
      Object.fromEntries(scripts.map(({ name, header }) => [name, largest(header)])),
    )
  })

  it.each(scripts)(
    '$name touches no key but those that it is given, so that a Cluster and permissions can tell',
    ({ code }) => {
      const calls = [...code.matchAll(/redis\.p?call\('(\w+)',? ?([^,)]*)/g)].map(([, command = '', first = '']) => ({
        command,
        first,
      }))

      expect(calls.length).toBeGreaterThan(0)
      for (const { command, first } of calls) {
        if (command === 'TIME') expect(first).toBe('')
        else expect(first).toMatch(command === 'PUBLISH' ? /^ARGV\[\d+\]$/ : /^KEYS\[\d+\]$/)
      }
    },
  )
})

import { describe, expect, it } from 'vitest'
import { RedisNames } from '../../../core/redis/redis-names.ts'

/** What a Cluster computes the slot of a key from. */
function hashTag(name: string): string | undefined {
  return /\{([^}]+)\}/.exec(name)?.[1]
}

describe('RedisNames', () => {
  const names = new RedisNames('fleet')

  it('puts a role in the same place as the probes of it', () => {
    expect(names.role('feed')).toBe('fleet:role:{feed}')
    expect(hashTag(names.role('feed'))).toBe(hashTag(names.probe('feed')))
  })

  it('puts the record of a function in the same place as the probes of it', () => {
    expect(names.function('echo.fn')).toBe('fleet:function:{echo.fn}')
    expect(hashTag(names.function('echo.fn'))).toBe(hashTag(names.probe('echo.fn')))
  })

  it('puts entries, their ends and the probes of them in one place', () => {
    expect(names.entries).toEqual(['fleet:entries:{entries}', 'fleet:entry-ends:{entries}'])
    expect([...names.entries, names.probe('entries')].map(hashTag)).toEqual(['entries', 'entries', 'entries'])
  })

  it('gives different names to a role and a function that are called alike', () => {
    expect(names.role('feed')).not.toBe(names.function('feed'))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toStoreChange } from '../../../core/redis/store-change.ts'

describe('toStoreChange', () => {
  it.each([
    [
      ['state', 'f.ns', '1795263820584962', '0', 'one', '{"a":1}'],
      { kind: 'state', key: 'f.ns', version: 1_795_263_820_584_962, previous: 0, origin: 'one', body: '{"a":1}' },
    ],
    [['gone', 'f', '2', '1', 'one'], { kind: 'gone', key: 'f', version: 2, previous: 1, origin: 'one' }],
    [['released', 'f', 'one'], { kind: 'released', key: 'f', origin: 'one' }],
  ])('reads %j', (texts, expected) => {
    expect(toStoreChange(JSON.stringify(texts))).toEqual(expected)
  })

  it.each([
    ['["released","f"]'],
    ['["released","f","one","more"]'],
    ['["gone","f","2","1"]'],
    ['["gone","f","-2","1","one"]'],
    ['["state","f","2","","one","b"]'],
    ['["state","f","2","1.5","one","b"]'],
    ['["state","f",2,1,"one","b"]'],
    ['["__proto__","f","2","1","one"]'],
    ['null'],
    ['[]'],
    ['\u0000'],
  ])('drops %s', (message) => {
    expect(toStoreChange(message)).toBeUndefined()
  })

  it('never throws, whatever is published', () => {
    const text = fc.oneof(fc.constantFrom('state', 'gone', 'released', '1', '0'), fc.string())
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(text, { maxLength: 7 }).map((list) => JSON.stringify(list)),
    )

    fc.assert(
      fc.property(anything, (message) => {
        const change = toStoreChange(message)
        expect(change === undefined || ['state', 'gone', 'released'].includes(change.kind)).toBe(true)
      }),
    )
  })
})

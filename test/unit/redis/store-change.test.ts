import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toldMessage, toStoreChange } from '../../../core/redis/store-change.ts'

describe('toStoreChange', () => {
  it.each([
    [
      ['state', 'f.ns', '1795263820584962', '0', 'one', '{"a":1}'],
      { kind: 'state', key: 'f.ns', version: 1_795_263_820_584_962, previous: 0, origin: 'one', body: '{"a":1}' },
    ],
    [['gone', 'f', '2', '1', 'one'], { kind: 'gone', key: 'f', version: 2, previous: 1, origin: 'one' }],
    [['released', 'f', 'one'], { kind: 'released', key: 'f', origin: 'one' }],
    [
      ['entry', 'i/a', 'one', '9007199254740991', '10000', 'b'],
      { kind: 'entry', key: 'i/a', origin: 'one', rank: 2 ** 53 - 1, ttlMs: 10_000, body: 'b' },
    ],
    [
      ['renewed', 'one', '10000', '[[1]]', '["i/a","i/b"]'],
      { kind: 'renewed', origin: 'one', ttlMs: 10_000, note: '[[1]]', keys: ['i/a', 'i/b'] },
    ],
    [['renewed', 'one', '1', '', 'no list'], { kind: 'renewed', origin: 'one', ttlMs: 1, note: '', keys: [] }],
    [['entry_gone', 'i/a', 'one'], { kind: 'entry_gone', key: 'i/a', origin: 'one' }],
    [['told', 'topic', 'one', 'text'], { kind: 'told', topic: 'topic', origin: 'one', text: 'text' }],
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
    ['["entry","i/a","one","1","1"]'],
    ['["entry","i/a","one","1.5","1","b"]'],
    ['["entry","i/a","one","1","-1","b"]'],
    ['["entry","i/a","one","1","1","b","more"]'],
    ['["renewed","one","1",""]'],
    ['["renewed","one","","","[]"]'],
    ['["entry_gone","i/a"]'],
    ['["told","topic","one"]'],
    ['["constructor"]'],
    ['null'],
    ['[]'],
    ['\u0000'],
  ])('drops %s', (message) => {
    expect(toStoreChange(message)).toBeUndefined()
  })

  it('reads what a gateway tells, as it is sent', () => {
    const told = { topic: 'a "topic"', origin: 'one', text: 'ü\n' }

    expect(toStoreChange(toldMessage(told))).toEqual({ kind: 'told', ...told })
  })

  it('never throws, whatever is published', () => {
    const kinds = ['state', 'gone', 'released', 'entry', 'renewed', 'entry_gone', 'told']
    const text = fc.oneof(fc.constantFrom(...kinds, '1', '0', '["a"]'), fc.string())
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(text, { maxLength: 7 }).map((list) => JSON.stringify(list)),
    )

    fc.assert(
      fc.property(anything, (message) => {
        const change = toStoreChange(message)
        expect(change === undefined || kinds.includes(change.kind)).toBe(true)
      }),
    )
  })
})

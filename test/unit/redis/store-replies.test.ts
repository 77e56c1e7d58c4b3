import { describe, expect, it } from 'vitest'
import { UnexpectedReply } from '../../../core/redis/store-failure.ts'
import * as replies from '../../../core/redis/store-replies.ts'

describe('The replies of scripts', () => {
  it.each([
    [replies.toLeaseAnswer, ['leader', 9, 1, 0, 0, ''], { role: 'leader', fence: 9, tookOver: true }],
    [
      replies.toLeaseAnswer,
      ['leader', 9, 0, 7, 3, 'b'],
      { role: 'leader', fence: 9, tookOver: false, news: { version: 7, ageMs: 3, body: 'b' } },
    ],
    [replies.toLeaseAnswer, ['follower', 80, 0, 0, 0, ''], { role: 'follower', remainingMs: 80 }],
    [replies.toStoredState, [0, 0, ''], undefined],
    [replies.toStoredState, [5, 2, ''], { version: 5, ageMs: 2, body: '' }],
    [replies.toWriteAnswer, [1, 5, 0, ''], { written: true, version: 5 }],
    [replies.toWriteAnswer, [0, 5, 2, 'b'], { written: false, stored: { version: 5, ageMs: 2, body: 'b' } }],
    [replies.toWriteAnswer, [0, 0, 0, ''], { written: false, stored: undefined }],
    [replies.toHold, 'kept', 'kept'],
    [replies.toFlag, 0, false],
    [replies.toTexts, ['a', 'b'], ['a', 'b']],
    [
      replies.toEntryPage,
      ['17', ['i/a', '7 a body\nof two lines', 900, 'i/b', '0 ', 1]],
      {
        next: '17',
        entries: [
          { key: 'i/a', rank: 7, body: 'a body\nof two lines', remainingMs: 900 },
          { key: 'i/b', rank: 0, body: '', remainingMs: 1 },
        ],
      },
    ],
    [replies.toEntryPage, ['0', []], { next: undefined, entries: [] }],
    [replies.toEntryPage, ['0', ['foreign', 'without a rank', 5]], { next: undefined, entries: [] }],
  ])('are read: %o %j', (decode, reply, expected) => {
    expect(decode(reply)).toEqual(expected)
  })

  it.each([
    [replies.toLeaseAnswer, null],
    [replies.toLeaseAnswer, []],
    [replies.toLeaseAnswer, ['leader', '9', 1, 0, 0, '']],
    [replies.toLeaseAnswer, ['leader', 9, 2, 0, 0, '']],
    [replies.toLeaseAnswer, ['boss', 9, 1, 0, 0, '']],
    [replies.toStoredState, 'OK'],
    [replies.toStoredState, [5, 2, null]],
    [replies.toStoredState, [2 ** 53, 2, 'b']],
    [replies.toWriteAnswer, [1]],
    [replies.toHold, 'QUEUED'],
    [replies.toFlag, 'OK'],
    [replies.toInteger, 1.5],
    [replies.toTexts, [1]],
    [replies.toEntryPage, null],
    [replies.toEntryPage, ['0', 'x']],
    [replies.toEntryPage, [0, []]],
    [replies.toEntryPage, ['0', ['i/a', '7 body', '900']]],
    [replies.toEntryPage, ['0', ['i/a', '7 body']]],
  ])('are refused when they make no sense: %o %j', (decode, reply) => {
    expect(() => decode(reply)).toThrow(UnexpectedReply)
  })
})

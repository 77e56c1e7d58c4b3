import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, maxDurationMs, parseDuration } from '../../../core/config/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['60', 60_000],
    ['+5', 5_000],
    ['0', 0],
    ['0s', 0],
    ['.5s', 500],
    ['1.s', 1_000],
    ['1h1m1s1ms', 3_661_001],
    ['4.35s', 4_350],
    ['1m1m', 120_000],
    ['1500us', 2],
    ['1500\u00b5s', 2],
    ['1500\u03bcs', 2],
    ['1ns', 1],
  ])('reads %j as %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  it.each([
    '',
    ' ',
    '5 s',
    ' 5s',
    '5s ',
    '-5',
    '-5s',
    '1d',
    '1e3s',
    '.s',
    's',
    '1.5',
    '1h-5m',
    '1,5s',
    '0x10',
    'abc',
    '5S',
    '∞',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it.each(['999999999999', '99999h', '9'.repeat(100), `${'9'.repeat(100)}h`])(
    'reads %s as the longest time that a timer can wait',
    (text) => {
      expect(parseDuration(text)).toBe(maxDurationMs)
    },
  )

  it('never reads a positive duration as 0, which would mean no limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.constantFrom('ns', 'us', 'ms', 's', 'm', 'h'),
        (count, unit) => {
          expect(parseDuration(`${count}${unit}`)).toBeGreaterThan(0)
        },
      ),
    )
  })

  it('answers any text with whole milliseconds or undefined, and never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const milliseconds = parseDuration(text)
        expect(milliseconds === undefined || Number.isSafeInteger(milliseconds)).toBe(true)
      }),
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [5, '5ms'],
    [1_500, '1.5s'],
    [60_000, '1m0s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [5_400_250, '1h30m0.25s'],
  ])('writes %d ms as %s, as Go does', (milliseconds, expected) => {
    expect(formatDuration(milliseconds)).toBe(expected)
  })

  it('writes what parseDuration reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxDurationMs }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
      }),
    )
  })
})

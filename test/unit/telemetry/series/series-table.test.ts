import { describe, expect, it } from 'vitest'
import { seriesIn, seriesTable } from '../some-series.ts'

const histogram = { name: 'took', type: 'histogram', boundaries: [1, 2], combine: 'add' } as const

describe('SeriesTable', () => {
  it('keeps each series in its place while it grows', () => {
    const table = seriesTable({}, {})
    const places = Array.from({ length: 100 }, (_, i) => table.add(`i="${i}"`))

    for (const [index, at] of places.entries()) table.count(at, index)

    expect(table.size).toBe(100)
    expect(seriesIn(table)).toEqual(Object.fromEntries(places.map((_, i) => [`i="${i}"`, [i]])))
  })

  it.each([
    [0, [1, 0, 0, 0]],
    [1, [1, 0, 0, 1]],
    [1.5, [0, 1, 0, 1.5]],
    [9, [0, 0, 1, 9]],
  ])('puts the observation %d into the bucket whose upper bound includes it', (value, expected) => {
    const table = seriesTable(histogram, { a: [0, 0, 0, 0] })

    table.observe(0, value)

    expect(seriesIn(table)).toEqual({ a: expected })
  })

  it('gives the place of a removed series to the next one, which starts at 0', () => {
    const table = seriesTable({}, { a: [1], b: [2] })

    table.remove(0)
    const at = table.add('c')

    expect(at).toBe(0)
    expect(seriesIn(table)).toEqual({ c: [0], b: [2] })
  })

  it('copies a part of its series', () => {
    const table = seriesTable(histogram, { a: [1, 0, 0, 1], b: [0, 1, 0, 2], c: [0, 0, 1, 3] })

    expect(seriesIn(table.slice(table.width, 2 * table.width))).toEqual({ b: [0, 1, 0, 2] })
  })

  it('gives what was added since it was last taken, and nothing of series that rest', () => {
    const table = seriesTable(histogram, { a: [1, 0, 0, 0.5], b: [0, 1, 0, 1.5] })
    const first = table.takeNew(0, table.end)

    table.observe(0, 0.25)

    expect(seriesIn(first)).toEqual({ a: [1, 0, 0, 0.5], b: [0, 1, 0, 1.5] })
    expect(seriesIn(table.takeNew(0, table.end))).toEqual({ a: [1, 0, 0, 0.25] })
    expect(seriesIn(table.takeNew(0, table.end))).toEqual({})
  })

  it('gives a new series although nothing was added to it, once', () => {
    const table = seriesTable({ type: 'counter', combine: 'add' }, { a: [0] })

    expect(seriesIn(table.takeNew(0, table.end))).toEqual({ a: [0] })
    expect(seriesIn(table.takeNew(0, table.end))).toEqual({})
  })

  it('gives all of a series that has the place of another one', () => {
    const table = seriesTable({}, { a: [5] })
    table.takeNew(0, table.end)

    table.remove(0)
    table.count(table.add('b'), 2)

    expect(seriesIn(table.takeNew(0, table.end))).toEqual({ b: [2] })
  })

  it('gives what was added after it has grown', () => {
    const table = seriesTable({}, { a: [5] })
    table.takeNew(0, table.end)

    for (let i = 0; i < 50; i += 1) table.add(`i="${i}"`)
    table.count(0, 1)

    expect(seriesIn(table.takeNew(0, table.width))).toEqual({ a: [1] })
  })
})

import { describe, expect, it } from 'vitest'
import { headerValue, removeHeader, setHeader } from '#core'

describe('headerValue', () => {
  it.each([
    ['in another case', ['X-A', '1'], '1'],
    ['first of several', ['a', '0', 'x-a', '1', 'X-A', '2'], '1'],
    ['empty', ['x-a', ''], ''],
    ['not there', ['x-ab', '1', 'x', '2'], undefined],
    ['only as a value', ['b', 'x-a'], undefined],
  ])('finds a header %s', (_, headers, value) => {
    expect(headerValue(headers, 'x-a')).toBe(value)
  })
})

describe('removeHeader', () => {
  it('takes out every occurrence, in any case, and keeps the order of the others', () => {
    const headers = ['A', '1', 'x-a', '2', 'B', '3', 'X-A', '4', 'A', '5']

    removeHeader(headers, 'x-a')

    expect(headers).toEqual(['A', '1', 'B', '3', 'A', '5'])
  })

  it('changes nothing when there is none', () => {
    const headers = ['A', 'x-a']

    removeHeader(headers, 'x-a')

    expect(headers).toEqual(['A', 'x-a'])
  })
})

describe('setHeader', () => {
  it('leaves one occurrence, in the case that was asked for', () => {
    const headers = ['x-a', '1', 'B', '2', 'X-A', '3']

    setHeader(headers, 'X-a', 'new')

    expect(headers).toEqual(['B', '2', 'X-a', 'new'])
  })
})

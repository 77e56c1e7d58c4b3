import { describe, expect, it } from 'vitest'
import { functionIn, labelsOf, legalName } from '../../../../core/telemetry/series/labels.ts'

describe('labelsOf', () => {
  it('writes attributes in their order, or in that of the names given', () => {
    expect(labelsOf({ z: '1', a: '2' })).toBe('z="1",a="2"')
    expect(labelsOf({ z: '1', a: '2' }, ['a', 'z'])).toBe('a="2",z="1"')
    expect(labelsOf({})).toBe('')
  })

  it('escapes what could end a label, and makes names legal', () => {
    expect(labelsOf({ 'label.name': 'say "hi"\\\n}' })).toBe('label_name="say \\"hi\\"\\\\\\n}"')
  })

  it('writes other values than texts as JSON', () => {
    expect(labelsOf({ n: 1, b: true, list: ['x'] })).toBe('n="1",b="true",list="[\\"x\\"]"')
  })
})

describe('legalName', () => {
  it.each([
    ['9.bad-name', '_9_bad_name'],
    ['good_name', 'good_name'],
  ])('makes %s to %s', (name, legal) => {
    expect(legalName(name)).toBe(legal)
  })
})

describe('functionIn', () => {
  it.each([
    ['function_name="a.fn",code="200"', 'a.fn'],
    ['outcome="x",function_name="a.fn"', 'a.fn'],
    ['my_function_name="a.fn"', undefined],
    ['command="x"', undefined],
    ['', undefined],
  ])('finds in %s the function %s', (labels, name) => {
    expect(functionIn(labels)).toBe(name)
  })

  it('reads what labelsOf wrote', () => {
    const name = 'quote".back\\slash\nline\\n'

    expect(functionIn(labelsOf({ function_name: name, code: '200' }))).toBe(name)
  })
})

import { describe, expect, it } from 'vitest'
import { GatewayError } from '#core'
import { decodeAnnouncement } from '../../../../plugins/readiness-push/announcement.ts'

describe('decodeAnnouncement', () => {
  it.each([
    ['{"name":"echo"}', { name: 'echo', namespace: 'fn', key: 'echo.fn' }, undefined],
    ['{"name":"echo","namespace":"dev","available":3}', { name: 'echo', namespace: 'dev', key: 'echo.dev' }, 3],
    ['{"name":"echo","namespace":"","available":null}', { name: 'echo', namespace: 'fn', key: 'echo.fn' }, undefined],
    ['{"name":"echo.dev"}', { name: 'echo', namespace: 'dev', key: 'echo.dev' }, undefined],
    ['{"name":"a.b","namespace":"dev"}', { name: 'a.b', namespace: 'dev', key: 'a.b.dev' }, undefined],
    ['{"name":"__proto__","newer":{"a":[1]}}', { name: '__proto__', namespace: 'fn', key: '__proto__.fn' }, undefined],
  ])('reads %s', (text, identity, available) => {
    expect(decodeAnnouncement(text, 'fn')).toEqual({ identity, available })
  })

  it('leaves functions without a namespace when there is no default one', () => {
    expect(decodeAnnouncement('{"name":"echo"}', '').identity).toEqual({ name: 'echo', namespace: '', key: 'echo' })
  })

  it.each([
    ['', 'no JSON'],
    ['{"name":', 'no JSON'],
    ['null', 'no JSON object'],
    ['[]', 'no JSON object'],
    ['"echo"', 'no JSON object'],
    ['{}', '"name" is missing'],
    ['{"name":""}', '"name" is missing'],
    ['{"name":7}', '"name"'],
    ['{"name":".."}', '"name"'],
    ['{"name":"a/b"}', '"name"'],
    ['{"name":"a\\u0000"}', '"name"'],
    [JSON.stringify({ name: 'a'.repeat(254) }), '253'],
    [JSON.stringify({ name: 'a'.repeat(200), namespace: 'b'.repeat(53) }), '253'],
    ['{"name":"echo","namespace":{}}', '"namespace"'],
    ['{"name":"echo","namespace":"a.b"}', '"namespace"'],
    ['{"name":"echo","namespace":"a b"}', '"namespace"'],
    ['{"name":"echo","available":0}', '"available"'],
    ['{"name":"echo","available":-1}', '"available"'],
    ['{"name":"echo","available":1.5}', '"available"'],
    ['{"name":"echo","available":"2"}', '"available"'],
    ['{"name":"echo","available":1e300}', '"available"'],
  ])('refuses %j and says why', (text, reason) => {
    const decode = (): unknown => decodeAnnouncement(text, 'fn')

    expect(decode).toThrow(GatewayError)
    expect(decode).toThrow(reason)
  })
})

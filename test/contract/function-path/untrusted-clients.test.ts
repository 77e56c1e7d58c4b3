import { describe, expect, it } from 'vitest'
import { fieldsOf } from '../../support/raw-response.ts'
import { useFunctionPath } from './function-path.ts'

describe('a client that is not trusted (trustForwarded: false)', () => {
  const path = useFunctionPath('h1', { config: 'trustForwarded: false' })

  it('cannot claim another address, host or protocol', async () => {
    const claims = ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Host: shop.test', 'X-Forwarded-Proto: https']

    const seen = await path().seenBy('GET', '/function/echo', claims)

    expect(fieldsOf(seen.fields, 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(fieldsOf(seen.fields, 'x-forwarded-host')).toEqual(['gateway.test'])
    expect(fieldsOf(seen.fields, 'x-forwarded-proto')).toEqual(['http'])
  })
})

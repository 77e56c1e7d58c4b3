import { afterAll, describe, expect, it } from 'vitest'
import { fieldsOf } from '../../support/raw-response.ts'
import { temporaryFile } from '../../support/temporary-file.ts'
import { useFunctionPath } from './function-path.ts'

const config = temporaryFile('pilotlight.yaml', 'trustForwarded: true\n')
afterAll(() => config[Symbol.dispose]())

describe('a front that is trusted (trustForwarded)', () => {
  const path = useFunctionPath('undici', { PILOTLIGHT_CONFIG: config.path })

  it('has its peer appended to X-Forwarded-For, without a port', async () => {
    const seen = await path().seenBy('GET', '/function/echo', ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 198.51.100.1'])

    expect(fieldsOf(seen.fields, 'x-forwarded-for').join(', ')).toBe('203.0.113.7, 198.51.100.1, 127.0.0.1')
  })

  it('names the original host and protocol', async () => {
    const fields = ['X-Forwarded-Host: shop.test', 'X-Forwarded-Proto: https']

    const seen = await path().seenBy('GET', '/function/echo', fields)

    expect(fieldsOf(seen.fields, 'x-forwarded-host')).toEqual(['shop.test'])
    expect(fieldsOf(seen.fields, 'x-forwarded-proto')).toEqual(['https'])
  })

  it('leaves the original host and protocol to the gateway when it names none', async () => {
    const seen = await path().seenBy('GET', '/function/echo')

    expect(fieldsOf(seen.fields, 'x-forwarded-host')).toEqual(['gateway.test'])
    expect(fieldsOf(seen.fields, 'x-forwarded-proto')).toEqual(['http'])
  })
})

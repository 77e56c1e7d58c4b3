import { describe, expect, it } from 'vitest'
import { gatewayUrl } from '../../../../sidecar/membership/gateway-url.ts'

describe('gatewayUrl', () => {
  it.each(['http://gateway.openfaas:8080', 'https://[fd00::1]/base', 'http://10.0.0.1'])('takes %s', (text) => {
    expect(gatewayUrl(text).href).toContain(text)
  })

  it.each([
    ['gateway:8080', 'expected a URL such as'],
    ['', 'expected a URL such as'],
    ['redis://gateway', 'expected a URL such as'],
    ['http://admin:hush@gateway', 'has a name or a password in it'],
    ['ftp://admin:hush@gateway', 'expected a URL such as'],
    ['http://gateway/?a=b', 'only a path may follow'],
  ])('refuses "%s" without repeating a password', (text, reason) => {
    expect(() => gatewayUrl(text)).toThrow(reason)
    expect(() => gatewayUrl(text)).not.toThrow('hush')
  })
})

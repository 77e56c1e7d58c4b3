import { describe, expect, it } from 'vitest'
import { createOutgoingProxy, OutgoingProxy } from '../../../core/http/outgoing-proxy.ts'

const httpProxy = new URL('http://plain:3128')
const httpsProxy = new URL('http://secure:3128')

const isProxied = (url: string, noProxy = ''): boolean =>
  new OutgoingProxy({ httpProxy, httpsProxy, noProxy }).proxyFor(new URL(url)) !== undefined

describe('OutgoingProxy', () => {
  it('chooses by the scheme of the URL, and never the one for the other', () => {
    const both = new OutgoingProxy({ httpProxy, httpsProxy, noProxy: '' })
    const plain = new OutgoingProxy({ httpProxy, httpsProxy: undefined, noProxy: '' })

    expect(both.proxyFor(new URL('http://a/'))).toBe(httpProxy)
    expect(both.proxyFor(new URL('https://a/'))).toBe(httpsProxy)
    expect(plain.proxyFor(new URL('https://a/'))).toBeUndefined()
  })

  it('is not made at all without a proxy', () => {
    expect(createOutgoingProxy({ httpProxy: undefined, httpsProxy: undefined, noProxy: '*' })).toBeUndefined()
    expect(createOutgoingProxy({ httpProxy, httpsProxy: undefined, noProxy: '' })).toBeDefined()
  })

  it.each(['http://localhost:1', 'http://127.0.0.1', 'https://127.9.8.7:1', 'http://[::1]:1', 'http://LOCALHOST'])(
    'lets %s go straight',
    (url) => expect(isProxied(url)).toBe(false),
  )

  it.each(['http://localhost.test', 'http://128.0.0.1', 'http://[::2]'])('sends %s through the proxy', (url) =>
    expect(isProxied(url)).toBe(true),
  )

  it.each([
    ['*', 'http://a'],
    ['x, *', 'https://10.0.0.1'],
    ['a.test', 'http://a.test:8080'],
    ['a.test', 'http://b.a.test'],
    [' A.Test ,', 'http://a.TEST'],
    ['.a.test', 'http://b.a.test'],
    ['*.a.test', 'http://c.b.a.test'],
    ['a.test:8080', 'http://a.test:8080'],
    ['.a.test:80', 'http://b.a.test'],
    ['a.test:443', 'https://a.test'],
    ['10.0.0.1', 'http://10.0.0.1:8080'],
    ['10.0.0.1:80', 'http://10.0.0.1'],
    ['10.0.0.0/8', 'http://10.255.0.1:8080'],
    ['10.0.0.1/0', 'http://11.0.0.1'],
    ['fd00::1', 'http://[fd00:0::1]'],
    ['[fd00::1]', 'http://[fd00::1]:8080'],
    ['[fd00::1]:8080', 'http://[fd00::1]:8080'],
    ['fd00::/8', 'http://[fd12::1]'],
  ])('with the exemptions %j lets %s go straight', (noProxy, url) => expect(isProxied(url, noProxy)).toBe(false))

  it.each([
    ['', 'http://a'],
    ['a.test', 'http://ba.test'],
    ['a.test', 'http://a.test.example'],
    ['.a.test', 'http://a.test'],
    ['*.a.test', 'http://a.test'],
    ['a.test:8080', 'http://a.test'],
    ['a.test:80', 'https://a.test'],
    ['10.0.0.1:80', 'http://10.0.0.1:81'],
    ['10.0.0.0/8', 'http://11.0.0.1'],
    ['10.0.0.0/8', 'http://10.0.0.1.test'],
    ['fd00::1', 'http://[fd00::2]'],
    ['[fd00::1]:80', 'http://[fd00::1]:81'],
    ['fd00::/8', 'http://10.0.0.1'],
    ['10.0.0.0/33', 'http://10.0.0.1'],
    [':8080', 'http://a:8080'],
    ['http://a', 'http://a'],
    ['.', 'http://a'],
  ])('with the exemptions %j sends %s through the proxy', (noProxy, url) => expect(isProxied(url, noProxy)).toBe(true))
})

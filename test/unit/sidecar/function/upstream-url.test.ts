import { describe, expect, it } from 'vitest'
import { frontedUpstream, loopbackUpstream } from '../../../../sidecar/function/upstream-url.ts'

describe('loopbackUpstream', () => {
  it.each([
    ['http://127.0.0.1:5000', { host: '127.0.0.1', port: 5000, origin: 'http://127.0.0.1:5000', basePath: '' }],
    ['http://localhost', { host: 'localhost', port: 80, origin: 'http://localhost:80', basePath: '' }],
    ['http://127.8.8.8:1/a/b//', { host: '127.8.8.8', port: 1, origin: 'http://127.8.8.8:1', basePath: '/a/b' }],
    ['http://[::1]:5000/', { host: '::1', port: 5000, origin: 'http://[::1]:5000', basePath: '' }],
  ])('reads %s', (text, address) => {
    expect(loopbackUpstream(new URL(text))).toEqual(address)
  })

  it.each([
    ['http://10.0.0.7:5000', 'not on this host'],
    ['http://example.com', 'not on this host'],
    ['http://localhost.example.com', 'not on this host'],
    ['http://127.0.0.1.example.com', 'not on this host'],
    ['http://[::2]:80', 'not on this host'],
    ['http://0.0.0.0:80', 'not on this host'],
    ['https://127.0.0.1', 'must begin with http://'],
    ['http://me:secret@127.0.0.1', 'nothing else'],
    ['http://127.0.0.1/?a=b', 'nothing else'],
    ['http://127.0.0.1:0', 'port 0'],
  ])('refuses %s', (text, message) => {
    expect(() => loopbackUpstream(new URL(text))).toThrow(message)
  })
})

describe('frontedUpstream', () => {
  const upstream = new URL('http://10.0.0.7:5000')

  it('takes another host only where that is allowed', () => {
    expect(() => frontedUpstream({ upstream, allowsRemoteUpstream: false })).toThrow('not on this host')
    expect(frontedUpstream({ upstream, allowsRemoteUpstream: true }).host).toBe('10.0.0.7')
  })

  it('wants to be told something', () => {
    expect(() => frontedUpstream({ upstream: undefined, allowsRemoteUpstream: true })).toThrow('nothing to run')
  })
})

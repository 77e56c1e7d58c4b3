import { describe, expect, it } from 'vitest'
import { someRequest } from './some-request.ts'

describe('the target of a request', () => {
  it.each([
    ['/a/b?c=d', '/a/b?c=d'],
    ['/%2e%2E/%00?%zz', '/%2e%2E/%00?%zz'],
    ['//host/path', '//host/path'],
    ['http://example.test/function/x?y=1', '/function/x?y=1'],
    ['HTTPS://example.test:8443/function/x', '/function/x'],
    ['http://example.test', '/'],
    ['http://example.test?y=/1', '/?y=/1'],
    ['http://user:pass@example.test/x', '/x'],
    ['http:///x', '/x'],
    ['*', '/*'],
    ['', '/'],
  ])('is the origin form of %s', (sent, target) => {
    expect(someRequest({ target: sent }).request.target).toBe(target)
  })
})

describe('a client that leaves', () => {
  it('is announced once to everybody who listens, and at once to those who listen later', () => {
    const client = someRequest()
    const heard: string[] = []
    client.request.onGone(() => heard.push('first'))
    client.request.onGone(() => heard.push('second'))
    client.request.onGone(() => heard.push('third'))

    client.leave()
    client.leave()
    client.request.onGone(() => heard.push('late'))

    expect(heard).toEqual(['first', 'second', 'third', 'late'])
    expect(client.request.gone).toBe(true)
  })

  it('is not announced to those who took their listener back', () => {
    const client = someRequest()
    const heard: string[] = []
    const listeners = ['only', 'one of two'].map((name) => () => void heard.push(name))
    for (const listener of listeners) client.request.onGone(listener)
    client.request.onGone(() => heard.push('kept'))
    for (const listener of listeners) client.request.offGone(listener)

    client.leave()

    expect(heard).toEqual(['kept'])
  })

  it('may make a listener take another one back', () => {
    const client = someRequest()
    const heard: string[] = []
    const second = (): void => void heard.push('second')
    client.request.onGone(() => client.request.offGone(second))
    client.request.onGone(second)

    client.leave()

    expect(client.request.gone).toBe(true)
  })

  it.each(['before', 'after'])('aborts the signal, asked for %s', (when) => {
    const client = someRequest()
    const early = when === 'before' ? client.request.signal : undefined

    client.leave()

    const signal = early ?? client.request.signal
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ code: 'client_closed' })
  })

  it('has one signal for everybody', () => {
    const { request } = someRequest()

    expect(request.signal).toBe(request.signal)
  })
})

describe('GatewayRequest.header', () => {
  it('finds a header by its lower-case name', () => {
    const { request } = someRequest({ headers: { 'X-Call-Id': '7' } })

    expect(request.header('x-call-id')).toBe('7')
    expect(request.header('x-other')).toBeUndefined()
  })

  it('gives the first value of a list', () => {
    const { request, message } = someRequest()
    message.headers['set-cookie'] = ['a', 'b']

    expect(request.header('set-cookie')).toBe('a')
  })
})

describe('an informational answer of the upstream', () => {
  function informed(status: number, headers: readonly string[] = []) {
    const client = someRequest()
    const written: unknown[] = []
    client.response.writeEarlyHints = (hints) => void written.push(hints)
    client.response.writeProcessing = () => void written.push('processing')
    client.request.inform(status, headers)
    return { client, written }
  }

  it('is passed on: 103 with its links, all lines kept', () => {
    const { written } = informed(103, ['Link', '</a.css>', 'X-Note', 'n', 'link', '</b.css>'])

    expect(written).toEqual([{ link: ['</a.css>', '</b.css>'], 'x-note': ['n'] }])
  })

  it('is passed on: 102', () => {
    expect(informed(102).written).toEqual(['processing'])
  })

  it.each([
    ['100', 100, []],
    ['103 without a link', 103, ['X-Note', 'n']],
    ['a status yet unknown', 199, ['Link', '</a>']],
  ])('is dropped when it is %s', (_, status, headers) => {
    expect(informed(status, headers).written).toEqual([])
  })

  it('is dropped when node:http refuses its link', () => {
    const { request } = someRequest()

    expect(() => request.inform(103, ['Link', '</a.css>; rel=preload; title="a b"'])).not.toThrow()
  })

  it.each(['__proto__', 'constructor', 'toString'])('does no harm with a header named %s', (name) => {
    const { written } = informed(103, ['Link', '</a>', name, 'x'])

    expect(Object.keys(written[0] ?? {})).toEqual(['link', name.toLowerCase()])
  })

  it('is dropped when the client speaks HTTP/1.0', () => {
    const client = someRequest()
    client.message.httpVersionMinor = 0
    client.response.writeProcessing = () => expect.unreachable()

    client.request.inform(102, [])
  })
})

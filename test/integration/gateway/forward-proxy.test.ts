import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import type { Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { createProxiedPool } from '../../../core/http/proxied-pool.ts'
import { call } from '../../support/callers.ts'
import { ForwardProxy, type ProxyFault } from '../../support/forward-proxy.ts'
import { startGatewayBefore } from '../../support/gateway-before.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection } from '../../support/raw-http.ts'
import { ScriptedProvider } from '../../support/scripted-provider.ts'
import { temporaryFile } from '../../support/temporary-file.ts'
import { testCertificate, testKey } from '../../support/test-certificate.ts'

guardAgainstLeaks()

/** Only the proxy knows this host: names under `.invalid` never resolve (RFC 6761). */
const plainUrl = 'http://provider.invalid:8081/'
const secureUrl = 'https://provider.invalid:8443/'
const credentials = `Basic ${Buffer.from('user:p@ss').toString('base64')}`

const portOf = (provider: ScriptedProvider): number => Number(new URL(provider.url).port)

describe('a gateway with HTTP_PROXY', () => {
  it('reaches the management API and the functions of its provider through the proxy', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await using proxy = await ForwardProxy.start(portOf(provider))
    const env = { functions_provider_url: plainUrl, HTTP_PROXY: `http://user:p%40ss@${proxy.address}` }
    await using gateway = await startGatewayBefore(provider, { env })

    const answer = await call(`${gateway.url}/function/cold/a%2Fb?x=1`, { method: 'POST', body: 'in' })

    expect([answer.status, answer.body]).toEqual([200, 'hello\n'])
    expect(provider.calls).toHaveLength(proxy.calls.length)
    expect(proxy.calls).toContainEqual({
      method: 'POST',
      target: `${plainUrl}function/cold/a%2Fb?x=1`,
      host: 'provider.invalid:8081',
      authorization: credentials,
    })
    expect(provider.count('scale')).toBe(1)
    expect(new Set(proxy.calls.map(({ authorization, host }) => `${authorization} ${host}`)).size).toBe(1)
  })

  it('sends header lines of one name as they came', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    provider.function('echo').handler = (request, response) => response.end(request.headersDistinct['x-a']?.join())
    await using proxy = await ForwardProxy.start(portOf(provider))
    const env = { functions_provider_url: plainUrl, http_proxy: proxy.address }
    await using gateway = await startGatewayBefore(provider, { env })
    await using client = await RawConnection.open(gateway.url)

    await client.send('GET /function/echo HTTP/1.1\r\nHost: gateway.test\r\nX-A: 1\r\nX-A: 2\r\n\r\n')

    expect((await client.response()).body.toString()).toBe('1,2')
  })

  it.each([
    ['a host that NO_PROXY names', plainUrl, 503],
    ['loopback', undefined, 200],
  ])('calls %s straight', async (_, url, status) => {
    await using provider = await ScriptedProvider.start({ name: 'one' })
    await using proxy = await ForwardProxy.start(portOf(provider))
    const env = {
      functions_provider_url: url ?? provider.url,
      HTTP_PROXY: proxy.address,
      NO_PROXY: 'other.test, .invalid:8081',
    }
    await using gateway = await startGatewayBefore(provider, { env })

    const answer = await call(`${gateway.url}/function/one`)

    expect(answer.status).toBe(status)
    expect(proxy.calls).toEqual([])
  })

  it('answers 503 when the proxy is gone', async () => {
    await using provider = await ScriptedProvider.start({ name: 'one' })
    const proxy = await ForwardProxy.start(portOf(provider))
    const env = { functions_provider_url: plainUrl, HTTP_PROXY: proxy.address }
    await proxy[Symbol.asyncDispose]()
    await using gateway = await startGatewayBefore(provider, { env })

    expect((await call(`${gateway.url}/function/one`)).status).toBe(503)
  })

  it('lets no answer look complete that the proxy cut', async () => {
    await using provider = await ScriptedProvider.start({ name: 'one' })
    await using proxy = await ForwardProxy.start(portOf(provider))
    const env = { functions_provider_url: plainUrl, HTTP_PROXY: proxy.address }
    await using gateway = await startGatewayBefore(provider, { env })
    expect((await call(`${gateway.url}/function/one`)).status).toBe(200)
    proxy.fault = 'cut the answer'

    expect((await call(`${gateway.url}/function/one`)).status).toBe(0)
  })
})

describe('a gateway with HTTPS_PROXY', () => {
  it('reaches an https provider through tunnels, and only with a certificate that it trusts', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await using secure = await secureFront(portOf(provider))
    await using proxy = await ForwardProxy.start(secure.port)
    using authorities = temporaryFile('ca.pem', testCertificate)
    const env = { functions_provider_url: secureUrl, HTTPS_PROXY: `user:p%40ss@${proxy.address}` }
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: authorities.path }
    await using gateway = await startGatewayBefore(provider, { env: trusting })
    await using stranger = await startGatewayBefore(provider, { env })

    const answers = [await call(`${gateway.url}/function/cold`), await call(`${stranger.url}/function/cold`)]

    expect(answers.map(({ status }) => status)).toEqual([200, 503])
    expect(new Set(proxy.calls.map((one) => Object.values(one).join(' ')))).toEqual(
      new Set([`CONNECT provider.invalid:8443 provider.invalid:8443 ${credentials}`]),
    )
  })

  it.each<[ProxyFault, string]>([
    ['refuse', 'the proxy refused a tunnel with status 407'],
    ['stay silent', 'the proxy made no tunnel in time'],
    ['hang up', 'socket hang up'],
  ])('gets an error, not a hanging call, from proxies that %s', async (fault, message) => {
    await using proxy = await ForwardProxy.start(1)
    proxy.fault = fault
    const options = { pool: { connections: 1 }, connectTimeoutMs: 100 }
    const pool: Dispatcher = createProxiedPool(new URL(`http://${proxy.address}`), new URL(secureUrl), options)

    const answer = pool.request({ path: '/', method: 'GET', origin: secureUrl })

    await expect(answer).rejects.toThrow(message)
    await pool.destroy()
  })
})

/** TLS in front of a port of loopback, with the test's certificate. */
async function secureFront(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ cert: testCertificate, key: testKey }, (socket) => {
    const onward = connect({ host: '127.0.0.1', port })
    for (const one of [socket, onward]) one.on('error', () => one.destroy())
    socket.once('close', () => onward.destroy()).pipe(onward)
    onward.once('close', () => socket.destroy()).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address is always of this type
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

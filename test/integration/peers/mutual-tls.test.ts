import { once } from 'node:events'
import { connect as connectPlainly } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { BufferReply, neverReached } from '#core'
import { PeerIdentity } from '../../../core/http/peer-identity.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { peerCertificates } from '../../support/peer-certificates.ts'
import { CertificateFolder, PeerPair } from './peer-pair.ts'

guardAgainstLeaks()

async function call(pair: PeerPair, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${pair.gatewayPort}/path`, { ...init, headers: { connection: 'close' } })
}

/** What a client gets that speaks TLS by itself: the beginning of an answer, or how its connection ended. */
async function speak(pair: PeerPair, options: ConnectionOptions): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: pair.sidecarPort,
    ca: peerCertificates.authority,
    servername: 'sidecar.pilotlight',
    ...options,
  })
  socket.on('secureConnect', () => socket.write('GET /spoken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1').split('\r\n', 1)[0] ?? ''))
    socket.on('error', () => resolve('refused'))
    socket.once('close', () => resolve('refused'))
  })
  socket.destroy()
  return answer
}

describe('mutual TLS between a gateway and a sidecar', () => {
  it('carries calls with their bodies', async () => {
    await using pair = await PeerPair.start()

    expect(await (await call(pair)).text()).toBe('hello')
    expect(await (await call(pair, { method: 'POST', body: 'a body' })).text()).toBe('a body')
  })

  it("carries the gateway's own calls of the sidecar", async () => {
    await using pair = await PeerPair.start()
    const url = new URL(`${pair.origin}/own`)

    const answer = await pair.client.request({ method: 'GET', url, timeoutMs: 2_000, toPeer: true })

    expect(await answer.text()).toBe('hello')
    await expect(pair.client.request({ method: 'GET', url, timeoutMs: 2_000 })).rejects.toThrow(/certificate/)
  })

  it.each([
    ['no certificate', {}],
    ['a certificate of another authority', peerCertificates.foreignGateway],
    ['a certificate for another name', peerCertificates.stranger],
    ["a sidecar's certificate", peerCertificates.sidecar],
  ])('lets nobody in with %s', async (_, options) => {
    await using pair = await PeerPair.start()

    expect(await speak(pair, options)).toBe('refused')
    expect(pair.served).toEqual([])
    expect(await speak(pair, peerCertificates.gateway)).toBe('HTTP/1.1 200 OK')
  })

  it('lets nobody in without TLS, and answers nothing', async () => {
    await using pair = await PeerPair.start()
    const socket = connectPlainly({ host: '127.0.0.1', port: pair.sidecarPort })
    let heard = ''
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')))
    socket.on('error', () => {})

    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'close')

    expect(heard).not.toContain('HTTP')
    expect(pair.served).toEqual([])
  })

  it('cuts connections that never prove who they are when a drain is over', async () => {
    await using pair = await PeerPair.start()
    const silent = connectPlainly({ host: '127.0.0.1', port: pair.sidecarPort })
    silent.on('error', () => {})
    await once(silent, 'connect')
    await eventually('the connection to be accepted', () => pair.connections === 1)

    await pair.behind.drain(AbortSignal.abort())

    await once(silent, 'close')
    expect(pair.served).toEqual([])
  })

  it.each([
    ['for another name', new CertificateFolder(peerCertificates.stranger)],
    ['of another authority', new CertificateFolder(peerCertificates.foreignGateway)],
  ])('sends nothing to a sidecar with a certificate %s', async (_, sidecar) => {
    await using pair = await PeerPair.start({ sidecar })

    const answer = await call(pair, { method: 'POST', body: 'secret' })

    expect(answer.status).toBe(502)
    expect(await answer.text()).toBe('')
    expect(pair.served).toEqual([])
    expect(pair.failures.map((error) => neverReached(error))).toEqual([true])
  })

  it('uses new certificates for new connections, while calls under way finish', async () => {
    const released = Promise.withResolvers<void>()
    const handle = async ({ target }: { target: string }): Promise<BufferReply> => {
      if (target === '/slow') await released.promise
      return new BufferReply(200, {}, 'done')
    }
    await using pair = await PeerPair.start({ handle })
    const slow = fetch(`http://127.0.0.1:${pair.gatewayPort}/slow`, { headers: { connection: 'close' } })
    await eventually('the slow call', () => pair.served.includes('GET /slow'))

    pair.sidecarFiles.write(peerCertificates.renewedSidecar)
    pair.gatewayFiles.write({
      ...peerCertificates.gateway,
      ca: peerCertificates.authority + peerCertificates.otherAuthority,
    })
    await pair.clock.advance(10_000)
    await eventually('both to say so', () => pair.log.messages('info').length === 2)
    const socket = connect({
      host: '127.0.0.1',
      port: pair.sidecarPort,
      ...peerCertificates.gateway,
      ca: peerCertificates.authority,
      servername: 'sidecar.pilotlight',
    })
    await once(socket, 'secureConnect')
    const { raw } = socket.getPeerCertificate()
    socket.destroy()

    expect(raw.toString('base64')).toBe(peerCertificates.renewedSidecar.cert.replaceAll(/-----.*-----|\n/g, ''))
    expect((await call(pair)).status).toBe(200)
    released.resolve()
    expect(await (await slow).text()).toBe('done')
  })

  it('keeps its certificates when the files are half-written, and says so once', async () => {
    await using pair = await PeerPair.start()

    pair.gatewayFiles.write({ key: peerCertificates.sidecar.key })
    await pair.clock.advance(10_000)
    await eventually('a warning', () => pair.log.messages('warn').length === 1)
    await pair.clock.advance(10_000)
    await eventually('the next look', () => pair.clock.pending === 2)

    expect(pair.log.messages('warn')).toHaveLength(1)
    expect(JSON.stringify(pair.log.lines)).not.toContain('PRIVATE')
    expect((await call(pair)).status).toBe(200)
  })

  it('passes an upgrade on, and its refusal back', async () => {
    await using pair = await PeerPair.start()
    const upgrade = new WebSocket(`ws://127.0.0.1:${pair.gatewayPort}/socket`)
    const refused = await new Promise<number>((resolve) => {
      upgrade.once('unexpected-response', (_, answer) => {
        resolve(answer.statusCode ?? 0)
        answer.resume()
      })
      upgrade.on('error', () => {})
    })
    upgrade.terminate()

    expect(refused).toBe(200)
    expect(pair.served).toEqual(['GET /socket'])
  })
})

describe('PeerIdentity', () => {
  it.each([
    ['tls.crt cannot be read (ENOENT)', () => new CertificateFolder({ cert: '', key: '' }), 'tls.crt'],
    ['no PEM files of a certificate and its key', () => new CertificateFolder({ cert: 'x', key: 'y' }), undefined],
    ['ca.crt is no PEM file', () => new CertificateFolder(peerCertificates.gateway, 'none'), undefined],
  ])('refuses to start: %s', async (message, create, missing) => {
    using folder = create()
    const path = missing === undefined ? folder.path : `${folder.path}/elsewhere`

    await expect(PeerIdentity.open(path, { clock: new FakeClock(), log: new FakeLogger() })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(message),
    })
  })
})

import { once } from 'node:events'
import { connect as connectPlainly, type Socket } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CertificateFolder } from '../integration/peers/peer-pair.ts'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { IdentifiedLoad } from '../support/identified-load.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { peerCertificates } from '../support/peer-certificates.ts'
import type { RecordedInstance } from '../support/recorded-instance.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'
import { sidecarAddresses } from '../support/sidecar-pages.ts'
import { EventReader, SocketTalker } from '../support/stream-clients.ts'
import { StreamingFunction } from '../support/streaming-function.ts'

const request = 'GET /stolen HTTP/1.1\r\nHost: x\r\nx-call-id: stolen\r\nConnection: close\r\n\r\n'

/** What a sidecar says to a request on this connection, until it ends. */
async function heard(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  socket.on('error', () => {})
  socket.write(request)
  // `once` would reject with the error that precedes the end.
  await new Promise((resolve) => socket.on('close', resolve))
  return text
}

/** A connection with TLS as gateways make them. */
function speak(port: number, options: ConnectionOptions): TLSSocket {
  return connect({
    host: '127.0.0.1',
    port,
    ca: peerCertificates.authority,
    servername: 'sidecar.pilotlight',
    ...options,
  })
}

describe('two gateways and two instances that know each other by certificates', () => {
  guardAgainstLeaks('file')
  const gatewayFiles = new CertificateFolder(peerCertificates.gateway)
  const sidecarFiles = new CertificateFolder(peerCertificates.sidecar)
  const sidecarEnv = { PILOTLIGHT_INSTANCE_TLS: sidecarFiles.path }
  let fleet: SidecarFleet
  let instances: readonly RecordedInstance[]
  beforeAll(async () => {
    fleet = await SidecarFleet.start({ env: { PILOTLIGHT_INSTANCE_TLS: gatewayFiles.path } })
    instances = await Promise.all([1, 2].map(() => fleet.startInstance({ limit: 1, workMs: 1, env: sidecarEnv })))
    await areReady()
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    gatewayFiles[Symbol.dispose]()
    sidecarFiles[Symbol.dispose]()
  })

  function areReady(): Promise<void> {
    return fleet.areReady(instances.map(({ id }) => id))
  }

  async function ports(): Promise<readonly number[]> {
    return (await Promise.all(instances.map(({ sidecar }) => sidecarAddresses(sidecar)))).map(({ port }) => port)
  }

  it('pass calls on, with slots for those that wait', async () => {
    const listed = await fleet.listed(fleet.gateway(1))

    const outcomes = await Promise.all(
      fleet.urls.map((url) => callTogether(40, url, { method: 'POST', body: 'kept', headers: { 'x-call-id': 'x' } })),
    )

    expect(listed.map(({ origin }) => origin.slice(0, 8))).toEqual(['https://', 'https://'])
    expect(statuses(outcomes.flat())).toEqual({ 200: 80 })
    expect(outcomes.flat().every(({ body }) => body === 'x kept')).toBe(true)
    expect(instances.map(({ mostUnderWay }) => mostUnderWay)).toEqual([1, 1])
    expect(fleet.provider.count('invoke')).toBe(0)
  })

  it('let nobody else in: without TLS, without a certificate, with that of somebody else', async () => {
    for (const port of await ports()) {
      const strangers = [{}, peerCertificates.stranger, peerCertificates.foreignGateway, peerCertificates.sidecar]
      const answers = await Promise.all([
        heard(connectPlainly({ host: '127.0.0.1', port })),
        ...strangers.map((options) => heard(speak(port, options))),
      ])

      expect(answers.filter((one) => one.includes('stolen'))).toEqual([])
      expect(answers.slice(1)).toEqual(['', '', '', ''])
      expect(await heard(speak(port, peerCertificates.gateway))).toContain('HTTP/1.1 200 OK')
    }
  })

  it('pass an event stream and a WebSocket on', async () => {
    await using behind = await StreamingFunction.start()
    fleet.provider.add({ name: 'streaming' })
    const { sidecar } = await fleet.front(behind.url, { env: { ...sidecarEnv, PILOTLIGHT_FUNCTION: 'streaming' } })
    const urls = fleet.gateways.map(({ url }) => `${url}/function/streaming`)
    await eventually('both gateways to know it', async () => {
      const listed = await Promise.all(fleet.gateways.map(({ url }) => call(`${url}/system/instances?name=streaming`)))
      return listed.every(({ body }) => body.includes('"phase":"ready"'))
    })
    using events = new EventReader(`${urls[0]}/events`)
    using socket = new SocketTalker(urls[1] ?? '')
    await events.reads('begun')
    await socket.opened()

    behind.say('over TLS')
    await events.reads('over TLS')
    await socket.echoes('over TLS')
    socket.close()
    behind.endEvents()

    expect(await Promise.all([events.ended, socket.ended])).toEqual(['complete', 'complete'])
    expect(fleet.provider.count('invoke')).toBe(0)
    sidecar.signal('SIGTERM')
    expect(await sidecar.exited).toBe(0)
  })

  it('use renewed certificates without failing a call', async () => {
    const both = peerCertificates.authority + peerCertificates.otherAuthority
    const load = new IdentifiedLoad(fleet.urls)

    sidecarFiles.write(peerCertificates.renewedSidecar)
    gatewayFiles.write({ ca: both })
    const saysSo = ({ output }: { output: string }): boolean => output.includes('new certificates are in use')
    const all = [...fleet.gateways, ...instances.map(({ sidecar }) => sidecar)]
    await eventually('everybody to say so', () => all.every(saysSo), 20_000)
    const [port = 0] = await ports()
    const socket = speak(port, peerCertificates.gateway)
    await once(socket, 'secureConnect')
    const { raw } = socket.getPeerCertificate()
    socket.destroy()
    const callsThen = load.answered.length
    await eventually('calls after that', () => load.answered.length > callsThen + 50)
    await load.stop()

    expect(raw.toString('base64')).toBe(peerCertificates.renewedSidecar.cert.replaceAll(/-----.*-----|\n/g, ''))
    expect(load.failures).toEqual([])
    expect(instances.map(({ mostUnderWay }) => mostUnderWay)).toEqual([1, 1])
    expect(fleet.provider.count('invoke')).toBe(0)
  })
})

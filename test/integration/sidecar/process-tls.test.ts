import { request } from 'node:https'
import { describe, expect, it } from 'vitest'
import { call } from '../../support/callers.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { peerCertificates } from '../../support/peer-certificates.ts'
import { CertificateFolder } from '../peers/peer-pair.ts'
import { SidecarProcess } from './sidecar-process.ts'

guardAgainstLeaks()

/** Calls over TLS with this certificate. Resolves with the status, or with what went wrong. */
function callAs(
  url: string,
  certificate: { readonly cert: string; readonly key: string } | undefined,
): Promise<number | string> {
  const { port } = new URL(url)
  const trust = { ca: peerCertificates.authority, servername: 'sidecar.pilotlight', agent: false }
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, ...trust, ...certificate }, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode ?? 0))
    })
    outgoing.once('error', (error) => resolve(error.message))
    outgoing.end()
  })
}

describe('pilotlight sidecar with PILOTLIGHT_INSTANCE_TLS', () => {
  it('takes calls of gateways, and of nobody else; health stays plain', async () => {
    using folder = new CertificateFolder(peerCertificates.sidecar)
    await using sidecar = new SidecarProcess({ env: { fprocess: 'cat', PILOTLIGHT_INSTANCE_TLS: folder.path } })
    const { url, adminUrl } = await sidecar.listening()

    const ofGateway = await callAs(url, peerCertificates.gateway)
    const refused = [await callAs(url, peerCertificates.stranger), await callAs(url, undefined)]
    const plain = await call(url)
    const health = await call(`${adminUrl}/readyz`)

    expect(ofGateway).toBe(200)
    expect(refused.every((one) => typeof one === 'string')).toBe(true)
    expect(plain.status).toBe(0)
    expect(health.status).toBe(200)
  })

  it('exits with 2 when its certificates cannot be used', async () => {
    await using sidecar = new SidecarProcess({ env: { fprocess: 'cat', PILOTLIGHT_INSTANCE_TLS: '/nowhere' } })

    expect(await sidecar.ended).toBe(2)
    expect(sidecar.stderr).toContain('tls.crt')
  })
})

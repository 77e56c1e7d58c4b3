import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BufferReply, type GatewayRequest, type Reply } from '#core'
import { EngineForwarder } from '../../../core/http/engine.ts'
import { HttpListener } from '../../../core/http/http-listener.ts'
import { PeerForwarder } from '../../../core/http/peer-forwarder.ts'
import { PeerIdentity, type PeerCertificates } from '../../../core/http/peer-identity.ts'
import { peerServer } from '../../../core/http/peer-server.ts'
import { UndiciForwarder } from '../../../core/http/undici-forwarder.ts'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { peerCertificates } from '../../support/peer-certificates.ts'

/** A folder as a TLS secret is mounted. */
export class CertificateFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'pilotlight-peers-'))

  constructor(certificates: Omit<PeerCertificates, 'ca'>, ca: string = peerCertificates.authority) {
    this.write({ ...certificates, ca })
  }

  write(files: Partial<PeerCertificates>): void {
    const names = { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt' } as const
    for (const part of ['cert', 'key', 'ca'] as const) {
      const text = files[part]
      if (text !== undefined) writeFileSync(join(this.path, names[part]), text)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

const sizes = { readTimeoutMs: 5_000, maxHeaderBytes: 65_536, maxHeaderLines: 100, replayBodyBytes: 65_536 }

/** A listener with mutual TLS, and a plain one before it that forwards there: what lies between a gateway and a sidecar. */
export class PeerPair implements AsyncDisposable {
  /** Moves when certificates are looked at; calls go by the clock of the machine. */
  readonly clock = new FakeClock()
  readonly log = new FakeLogger()
  readonly sidecarFiles: CertificateFolder
  readonly gatewayFiles: CertificateFolder
  /** What reached the handler behind TLS. */
  readonly served: string[] = []
  /** Why calls were not answered. */
  readonly failures: unknown[] = []
  client!: UndiciHttpClient
  behind!: HttpListener
  /** Connections accepted behind TLS so far. */
  connections = 0
  sidecarPort = 0
  gatewayPort = 0
  #closers: (AsyncDisposable | Disposable)[] = []

  private constructor(sidecar: CertificateFolder, gateway: CertificateFolder) {
    this.sidecarFiles = sidecar
    this.gatewayFiles = gateway
  }

  static async start({
    sidecar = new CertificateFolder(peerCertificates.sidecar),
    gateway = new CertificateFolder(peerCertificates.gateway),
    handle = async (request: GatewayRequest): Promise<Reply> =>
      new BufferReply(200, {}, (await request.body.bytes(1e6)).toString('utf8') || 'hello'),
  } = {}): Promise<PeerPair> {
    const pair = new PeerPair(sidecar, gateway)
    const { clock, log } = pair
    const systemClock = new SystemClock()
    const failed = { onFailure: (error: unknown) => pair.failures.push(error), onError: () => {} }
    const sidecarIdentity = await PeerIdentity.open(sidecar.path, { clock, log })
    const gatewayIdentity = await PeerIdentity.open(gateway.path, { clock, log })
    const behind = new HttpListener({
      ...sizes,
      ...failed,
      clock: systemClock,
      createServer: (settings) => {
        const server = peerServer(sidecarIdentity)(settings)
        server.on('connection', () => (pair.connections += 1))
        return server
      },
      handle: (request) => {
        pair.served.push(`${request.method} ${request.target}`)
        return handle(request)
      },
    })
    pair.behind = behind
    pair.sidecarPort = await behind.listen('127.0.0.1', 0)
    const options = { maxConnectionsPerUpstream: 10, maxHeaderBytes: 65_536, connectTimeoutMs: 2_000 }
    const plain = new UndiciForwarder({ clock: systemClock, options })
    const peers = new PeerForwarder({ clock: systemClock, options, identity: gatewayIdentity })
    const forwarder = new EngineForwarder({ plain, httpProxy: plain, peers })
    const before = new HttpListener({
      ...sizes,
      ...failed,
      clock: systemClock,
      handle: async (request) => {
        try {
          return await forwarder.forward({
            request,
            origin: pair.origin,
            path: request.target,
            headers: [],
            timeoutMs: 5_000,
            toPeer: true,
          })
        } catch (error) {
          pair.failures.push(error)
          throw error
        }
      },
    })
    pair.gatewayPort = await before.listen('127.0.0.1', 0)
    pair.client = new UndiciHttpClient({ clock: systemClock, connectTimeoutMs: 2_000, identity: gatewayIdentity })
    pair.#closers = [before, forwarder, pair.client, behind, sidecarIdentity, gatewayIdentity, sidecar, gateway]
    return pair
  }

  get origin(): string {
    return `https://127.0.0.1:${this.sidecarPort}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#closers) {
      if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
      else one[Symbol.dispose]()
    }
  }
}

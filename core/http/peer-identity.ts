import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'

/** Name that the certificate of every sidecar must carry (subjectAltName, DNS). */
export const sidecarPeerName = 'sidecar.pilotlight'

/** Name that the certificate of every gateway must carry. */
export const gatewayPeerName = 'gateway.pilotlight'

/** One's own certificate and key, and the authority that certifies the other side. PEM. */
export interface PeerCertificates {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** What {@link PeerIdentity} works with. */
export interface PeerIdentityDeps {
  readonly clock: Clock
  readonly log: Logger
}

/** Files of a folder, named as Kubernetes and cert-manager name those of a TLS secret. */
const fileNames = { cert: 'tls.crt', key: 'tls.key', ca: 'ca.crt' } as const
/** How often the files are looked at. */
const rereadMs = 10_000

/**
 * The certificates by which gateways and sidecars know each other, from the files `tls.crt`, `tls.key` and `ca.crt` of one folder. New
 * ones are taken up within ten seconds, for new connections; files that do not fit together leave the old ones in use, with a warning.
 */
export class PeerIdentity implements Disposable {
  readonly #folder: string
  readonly #deps: PeerIdentityDeps
  readonly #listeners = new Set<(certificates: PeerCertificates) => void>()
  #current: PeerCertificates
  #timer: Disposable | undefined
  #isClosed = false
  #lastProblem = ''

  private constructor(folder: string, deps: PeerIdentityDeps, current: PeerCertificates) {
    this.#folder = folder
    this.#deps = deps
    this.#current = current
    this.#rereadLater()
  }

  /** @throws GatewayError `config_invalid` that names the file which cannot be read, or says that they do not fit together */
  static async open(folder: string, deps: PeerIdentityDeps): Promise<PeerIdentity> {
    try {
      return new PeerIdentity(folder, deps, await readCertificates(folder))
    } catch (error) {
      throw new GatewayError('config_invalid', `certificates in ${folder}: ${messageOf(error)}`, { cause: error })
    }
  }

  get current(): PeerCertificates {
    return this.#current
  }

  /** Calls `listener` whenever other certificates are in use. */
  onChange(listener: (certificates: PeerCertificates) => void): void {
    this.#listeners.add(listener)
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#timer?.[Symbol.dispose]()
  }

  #rereadLater(): void {
    if (this.#isClosed) return
    this.#timer = this.#deps.clock.after(rereadMs, () => void this.#reread().finally(() => this.#rereadLater()))
  }

  /** Never rejects. */
  async #reread(): Promise<void> {
    const { log } = this.#deps
    try {
      const found = await readCertificates(this.#folder)
      this.#lastProblem = ''
      if (this.#isClosed || saysTheSame(found, this.#current)) return
      this.#current = found
      log.info('new certificates are in use', { folder: this.#folder })
      for (const listener of this.#listeners) listener(found)
    } catch (error) {
      const problem = messageOf(error)
      if (problem === this.#lastProblem) return
      this.#lastProblem = problem
      log.warn('new certificates cannot be used: the ones before stay in use', { folder: this.#folder, problem })
    }
  }
}

/** @throws Error that names the file, without its content */
async function readCertificates(folder: string): Promise<PeerCertificates> {
  const [cert, key, ca] = await Promise.all([
    read(folder, fileNames.cert),
    read(folder, fileNames.key),
    read(folder, fileNames.ca),
  ])
  try {
    createSecureContext({ cert, key, ca })
  } catch (error) {
    throw new Error('tls.crt and tls.key are no PEM files of a certificate and its key', { cause: error })
  }
  // What is no certificate is left out by the platform, silently: everybody would be refused.
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('ca.crt is no PEM file of certificates')
  return { cert, key, ca }
}

async function read(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
    throw new Error(`${name} cannot be read (${code})`, { cause: error })
  }
}

function saysTheSame(one: PeerCertificates, other: PeerCertificates): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

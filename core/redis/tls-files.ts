import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import type { RedisTls } from './redis-topology.ts'

/**
 * Reads the certificates of encrypted connections. Called for every connection anew, so that renewed files count.
 * @throws Error that names the parameters of the URL whose file cannot be read or used
 */
export function readTlsOptions({ caFile, certFile, keyFile, servername }: RedisTls): ConnectionOptions {
  const trusted = caFile === undefined ? {} : { ca: readCertificates(caFile) }
  return { ...trusted, ...readOwn(certFile, keyFile), ...(servername === undefined ? {} : { servername }) }
}

function readCertificates(path: string): string {
  const text = read('tls_ca', path)
  try {
    // What cannot be read as a certificate is left out by the platform, silently.
    void new X509Certificate(text)
    return text
  } catch (error) {
    throw new Error('tls_ca is not a PEM file of certificates', { cause: error })
  }
}

function readOwn(certFile: string | undefined, keyFile: string | undefined): ConnectionOptions {
  if (certFile === undefined || keyFile === undefined) return {}
  const own = { cert: read('tls_cert', certFile), key: read('tls_key', keyFile) }
  try {
    createSecureContext(own)
  } catch (error) {
    throw new Error('tls_cert and tls_key are not PEM files of a certificate and its key', { cause: error })
  }
  return own
}

function read(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
    throw new Error(`${parameter} cannot be read (${reason})`, { cause: error })
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Upstream } from '../pipeline/upstream.ts'
import type { ProviderEndpoint } from './provider-endpoint.ts'

/**
 * Returns the endpoint that `functions_provider_url` names, or undefined without one. With basic auth, calls of the gateway's
 * own carry the credentials that its clients use, as OpenFaaS does.
 * @throws GatewayError `config_invalid` when the secret files cannot be read
 */
export function configuredEndpoint(config: GatewayConfig): ProviderEndpoint | undefined {
  if (config.functionsProviderUrl === undefined) return undefined
  return { url: config.functionsProviderUrl, authorization: config.basicAuth ? basicCredentials(config) : undefined }
}

/** Returns where calls of functions go at a provider: its base path is kept. */
export function providerUpstream({ url }: ProviderEndpoint): Upstream {
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), kind: 'provider' }
}

function basicCredentials({ secretMountPath }: GatewayConfig): string {
  const [user, password] = ['basic-auth-user', 'basic-auth-password'].map((name) => {
    const path = join(secretMountPath, name)
    try {
      return readFileSync(path, 'utf8').trim()
    } catch (error) {
      throw new GatewayError('config_invalid', `basic_auth is on, but the secret file ${path} cannot be read`, {
        cause: error,
      })
    }
  })
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayConfig } from '#core'
import { configuredEndpoint, providerUpstream } from '../../../core/provider/configured-endpoint.ts'

let secrets: string
beforeEach(() => {
  secrets = mkdtempSync(join(tmpdir(), 'pilotlight-secrets-'))
})
afterEach(() => rmSync(secrets, { recursive: true }))

function config(changed: Partial<GatewayConfig>): GatewayConfig {
  const used = { functionsProviderUrl: undefined, basicAuth: false, secretMountPath: secrets, ...changed }
  return used as unknown as GatewayConfig // the rest of the configuration is not read
}

const url = new URL('http://provider.test:8081/base/')

describe('configuredEndpoint', () => {
  it('is undefined without a provider URL', () => {
    expect(configuredEndpoint(config({}))).toBeUndefined()
  })

  it('has no credentials without basic auth', () => {
    expect(configuredEndpoint(config({ functionsProviderUrl: url }))).toEqual({ url, authorization: undefined })
  })

  it('reads the credentials of basic auth, without the white space around them', () => {
    writeFileSync(join(secrets, 'basic-auth-user'), 'admin\n')
    writeFileSync(join(secrets, 'basic-auth-password'), ' pässword: \n')

    const endpoint = configuredEndpoint(config({ functionsProviderUrl: url, basicAuth: true }))

    const encoded = endpoint?.authorization?.replace('Basic ', '') ?? ''
    expect(Buffer.from(encoded, 'base64').toString()).toBe('admin:pässword:')
  })

  it('names the file that cannot be read', () => {
    const read = () => configuredEndpoint(config({ functionsProviderUrl: url, basicAuth: true }))

    expect(read).toThrow(join(secrets, 'basic-auth-user'))
    expect(read).toThrow(expect.objectContaining({ code: 'config_invalid' }))
  })
})

describe('providerUpstream', () => {
  it.each([
    ['http://provider.test:8081/', 'http://provider.test:8081', ''],
    ['http://provider.test/base/', 'http://provider.test', '/base'],
    ['http://[::1]:8081/a/b//', 'http://[::1]:8081', '/a/b'],
  ])('of %s keeps its base path', (base, origin, basePath) => {
    expect(providerUpstream({ url: new URL(base), authorization: undefined })).toEqual({
      origin,
      basePath,
      kind: 'provider',
    })
  })
})

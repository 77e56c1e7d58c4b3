import { GatewayError, jsonReply, type ProviderApi, type Reply, type SystemRequest } from '#core'

const maxInfoBytes = 64 * 1024

/** What `GET /system/info` says of the gateway. */
export interface GatewayFacts {
  readonly release: string
  /** Processor architecture, by Node's name. */
  readonly arch: string
}

/**
 * Answers `GET /system/info`: the provider's facts and the gateway's. Clients read `provider.version` unasked, so there is
 * no answer with half of it.
 *
 * @throws GatewayError `provider_unavailable` when the provider does not say who it is
 */
export async function gatewayInfo(api: ProviderApi, request: SystemRequest, facts: GatewayFacts): Promise<Reply> {
  const { signal } = request.request
  const response = await api.call({ method: 'GET', target: 'system/info', signal })
  const text = await response.text(maxInfoBytes).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw new GatewayError('provider_unavailable', 'the provider did not say who it is', { cause })
  })
  const provider = response.status === 200 ? decodeProvider(text) : undefined
  if (provider === undefined) {
    const details = { providerStatus: response.status }
    throw new GatewayError('provider_unavailable', 'the provider did not say who it is', { details })
  }
  const version = { commit_message: `Pilotlight ${facts.release}`, sha: '', release: facts.release }
  return jsonReply(200, { provider, version, arch: facts.arch })
}

function decodeProvider(text: string): object | undefined {
  try {
    const info: unknown = JSON.parse(text)
    if (!isObject(info)) return undefined
    const version = 'version' in info && isObject(info.version) ? info.version : {}
    return { provider: '', orchestration: '', ...info, version: { release: '', sha: '', ...version } }
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

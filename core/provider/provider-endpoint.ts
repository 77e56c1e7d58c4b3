import { token } from '../container/token.ts'

/** Where the provider listens. Provided by the configuration, or by the plugin that embeds a provider. */
export interface ProviderEndpoint {
  /** Base URL; its path always ends in `/`. */
  readonly url: URL
  /** Value of the `Authorization` header for calls of the gateway's own, or undefined without basic auth. */
  readonly authorization: string | undefined
}

/** Token of the {@link ProviderEndpoint}. */
export const ProviderEndpoint = token<ProviderEndpoint>('ProviderEndpoint')

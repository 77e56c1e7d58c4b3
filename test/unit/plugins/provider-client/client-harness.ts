import type { ProviderEndpoint } from '#core'
import { UndiciHttpClient } from '../../../../core/http/undici-http-client.ts'
import { SystemClock } from '../../../../core/time/system-clock.ts'
import { HttpProviderApi } from '../../../../plugins/provider-client/http-provider-api.ts'
import { HttpServiceQuery } from '../../../../plugins/provider-client/http-service-query.ts'
import { ProviderCaller } from '../../../../plugins/provider-client/provider-caller.ts'
import { ProviderReader } from '../../../../plugins/provider-client/provider-reader.ts'

/** The provider client's parts over real sockets, with short limits. */
export class ClientHarness implements AsyncDisposable {
  readonly api: HttpProviderApi
  readonly query: HttpServiceQuery
  readonly #http: UndiciHttpClient

  constructor(endpoint: ProviderEndpoint, { timeoutMs = 2_000, maxAttempts = 3 } = {}) {
    const clock = new SystemClock()
    this.#http = new UndiciHttpClient({ clock, connectTimeoutMs: 1_000 })
    const caller = new ProviderCaller({ http: this.#http, endpoint, timeoutMs })
    const reader = new ProviderReader({ caller, clock, random: () => 0.99, maxAttempts })
    this.api = new HttpProviderApi({ caller, reader, listTimeoutMs: timeoutMs })
    this.query = new HttpServiceQuery({
      caller,
      reader,
      timeouts: { statusMs: timeoutMs, scaleMs: timeoutMs },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]()
  }
}

/** Where an attempt is sent: a provider, or one instance of a function. */
export interface Upstream {
  /** What every call to it gets besides the client's headers and those that each upstream gets: names and values, alternating. */
  readonly headers?: readonly string[]
  /** `http://host:port`, without a path. */
  readonly origin: string
  /** Prepended to the request's path; empty or starting with `/`, never ending in one. */
  readonly basePath: string
  /** `name.namespace` prefix is kept in the path (`provider`) or removed from it (`instance`). */
  readonly kind: 'provider' | 'instance'
}

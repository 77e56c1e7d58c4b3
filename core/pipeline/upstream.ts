/** Where an attempt is sent: a provider, or one instance of a function. */
export interface Upstream {
  /** `http://host:port`, without a path. */
  readonly origin: string
  /** Prepended to the request's path; empty or starting with `/`, never ending in one. */
  readonly basePath: string
  /** `name.namespace` prefix is kept in the path (`provider`) or removed from it (`instance`). */
  readonly kind: 'provider' | 'instance'
}

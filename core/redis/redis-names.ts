/**
 * Names of all keys and channels of one fleet. Keys of one function, or of one role, share the hash tag `{key}`, so that a Cluster
 * holds them in one place.
 */
export class RedisNames {
  /** Set of the functions whose records are kept. */
  readonly functions: string
  /** Channel of all changes, and of what gateways tell each other. */
  readonly changes: string
  /** Hash of the entries, and sorted set of their ends; in one place, and in that of the probes of `entries`. */
  readonly entries: readonly [string, string]
  readonly #prefix: string

  /** @param prefix without braces, which have a meaning in a Cluster */
  constructor(prefix: string) {
    this.#prefix = prefix
    this.functions = `${prefix}:functions`
    this.changes = `${prefix}:changes`
    this.entries = [`${prefix}:entries:{entries}`, `${prefix}:entry-ends:{entries}`]
  }

  /** Hash with the record, the lease and the fence of a function. */
  function(key: string): string {
    return `${this.#prefix}:function:{${key}}`
  }

  /** String with the holder of a role. */
  role(role: string): string {
    return `${this.#prefix}:role:{${role}}`
  }

  /** Key that probes write to, in the same place as the record of the function, or the role, of this name. */
  probe(key: string): string {
    return `${this.#prefix}:probe:{${key}}`
  }

  /** Channel on which one gateway hears its own probes. */
  probes(origin: string): string {
    return `${this.#prefix}:probe:${origin}`
  }
}

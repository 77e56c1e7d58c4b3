/** Names one function. `key` (`name.namespace`, or the bare name without one) is the map key and the metric label. */
export interface FunctionIdentity {
  readonly name: string
  /** Empty when the provider knows no namespaces. */
  readonly namespace: string
  readonly key: string
}

/** Builds the identity of a function; `namespace` may be empty. */
export function functionIdentity(name: string, namespace: string): FunctionIdentity {
  return { name, namespace, key: namespace === '' ? name : `${name}.${namespace}` }
}

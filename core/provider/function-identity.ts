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

/**
 * Reads `name.namespace` as it stands in the path of a call: the namespace is what follows the last dot.
 * @param defaultNamespace of names without one; may be empty
 */
export function identityAsCalled(full: string, defaultNamespace: string): FunctionIdentity {
  const dot = full.lastIndexOf('.')
  if (dot === -1) return functionIdentity(full, defaultNamespace)
  return functionIdentity(full.slice(0, dot), full.slice(dot + 1) || defaultNamespace)
}

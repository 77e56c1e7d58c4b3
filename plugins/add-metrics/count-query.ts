const maxSelectorLength = 4_096

/**
 * Builds the PromQL query for the calls of all functions in these namespaces, summed over gateways and statuses; an empty
 * namespace stands for functions without one.
 */
export function countQuery(namespaces: Iterable<string>): string {
  const selector = [...new Set(namespaces)].map(nameMatcher).join('|')
  // A regular expression of many namespaces may be too long for a URL; without one, Prometheus gives more than was asked for.
  const matcher = selector.length > maxSelectorLength ? '' : `{function_name=~${quoted(selector)}}`
  return `sum by (function_name) (gateway_function_invocation_total${matcher})`
}

/** Prometheus anchors the expression at both ends. */
function nameMatcher(namespace: string): string {
  return namespace === '' ? '[^.]+' : String.raw`.*\.${escapeRegExp(namespace)}`
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)
}

/** Writes a PromQL string, whose escapes are those of Go. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`
}

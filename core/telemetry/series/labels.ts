import type { Attributes } from '@opentelemetry/api'

/** Makes a name legal for Prometheus. */
export function legalName(name: string): string {
  const legal = name.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  return /^[0-9]/.test(legal) ? `_${legal}` : legal
}

/** Writes one label; a value that is no text as JSON. */
export function labelText(name: string, value: unknown): string {
  return `${name}="${escapeLabel(typeof value === 'string' ? value : JSON.stringify(value ?? ''))}"`
}

/** Writes attributes as labels, in the order of `names`; without them in their own order. */
export function labelsOf(attributes: Attributes, names: readonly string[] = Object.keys(attributes)): string {
  return names.map((name) => labelText(legalName(name), attributes[name])).join(',')
}

const functionLabel = /(?:^|,)function_name="((?:[^"\\]|\\.)*)"/

/** Returns the function that labels are about, or undefined when they are about none. */
export function functionIn(labels: string): string | undefined {
  return functionLabel.exec(labels)?.[1]?.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}

function escapeLabel(text: string): string {
  return /[\\\n"]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : text
}

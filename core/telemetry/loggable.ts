import { isSecretName, maskUserInfo } from '../config/mask-secrets.ts'

const maxDepth = 4
const maxValues = 200
const maxText = 8192
/** Names that a log line uses itself; a field of that name gets a `_` behind it. */
const takenNames = new Set(['level', 'time', 'message'])

/**
 * Returns plain data that can be written as one log line, whatever it is given: errors with their causes, URLs and texts
 * without credentials, `***` for what a secret's name says is one. Deep, endless, huge and hostile values (getters that
 * throw) are cut short, never followed. Never throws.
 */
export function toLoggableFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy = new LoggableCopy()
  return copy.ofEntries(fields, 0, (name) => (takenNames.has(name) ? `${name}_` : name))
}

/** Returns a text with credentials in URLs masked, cut to what fits in a line. */
export function toLoggableText(text: string): string {
  // Masked before it is cut: a cut may leave a password without the `@` that gives it away.
  const masked = text.includes('@') ? maskUserInfo(text) : text
  return masked.length > maxText ? `${masked.slice(0, maxText)}...` : masked
}

/** One copy; counts what it has copied, so that the sum is bounded whatever the shape. */
class LoggableCopy {
  #copied = 0

  ofEntries(from: object, depth: number, rename: (name: string) => string): Record<string, unknown> {
    const entries: [string, unknown][] = []
    for (const name of namesIn(from)) {
      if (this.#copied >= maxValues) break
      entries.push([rename(name), this.#ofField(from, name, depth)])
    }
    return Object.fromEntries(entries)
  }

  #ofField(from: object, name: string, depth: number): unknown {
    this.#copied += 1
    try {
      const value: unknown = Reflect.get(from, name)
      const isSecret = isSecretName(name) && value !== undefined && value !== null && value !== ''
      return isSecret ? '***' : this.#of(value, depth + 1)
    } catch {
      return '[unreadable]'
    }
  }

  #of(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return toLoggableText(value)
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
    if (typeof value === 'function') return '[function]'
    return typeof value === 'object' && value !== null ? this.#ofObject(value, depth) : value
  }

  #ofObject(value: object, depth: number): unknown {
    if (value instanceof URL) return maskUserInfo(value.href)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (depth > maxDepth) return Array.isArray(value) ? '[array]' : '[object]'
    if (value instanceof Error) return this.#ofError(value, depth)
    if (Array.isArray(value)) return this.#ofArray(value, depth)
    return this.ofEntries(value, depth, (name) => name)
  }

  #ofError(error: Error, depth: number): Record<string, unknown> {
    const { name, message, stack, cause } = error
    const known = { type: name, message: toLoggableText(message), ...this.ofEntries(error, depth, (field) => field) }
    const withCause = cause === undefined ? known : { ...known, cause: this.#of(cause, depth + 1) }
    return { ...withCause, stack: toLoggableText(String(stack)) }
  }

  #ofArray(items: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = []
    for (const item of items) {
      if (this.#copied >= maxValues) break
      this.#copied += 1
      copy.push(this.#of(item, depth + 1))
    }
    return copy
  }
}

function namesIn(from: object): string[] {
  try {
    return Object.keys(from)
  } catch {
    return []
  }
}

import { identityAsCalled, type FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionRoute } from './function-route.ts'

/** Where function paths begin. */
export const functionPrefix = '/function/'

const validName = /^[-a-zA-Z0-9_.]+$/
const maxNameLength = 253
const rememberedNames = 10_000

/** Maps `/function/{name}[.{ns}][/...]` to a function. The namespace is what follows the last dot. */
export class FunctionRouter {
  readonly #defaultNamespace: string
  /** By spelling. Emptied when full: only a flood of made-up names fills it. */
  readonly #identities = new Map<string, FunctionIdentity>()

  /** @param defaultNamespace namespace of names without one; may be empty */
  constructor(defaultNamespace: string) {
    this.#defaultNamespace = defaultNamespace
  }

  /**
   * Returns the route of a raw target that starts with {@link functionPrefix}, or undefined when what follows is no
   * function name. Only the name is decoded, so that every spelling of it is one function; the rest stays as received.
   */
  route(target: string): FunctionRoute | undefined {
    const from = functionPrefix.length
    let end = from
    for (; end < target.length; end += 1) {
      const char = target.charCodeAt(end)
      if (char === 0x2f || char === 0x3f) break // slash, question mark
    }
    const spelled = target.slice(from, end)
    const identity = this.#identities.get(spelled) ?? this.#learn(spelled)
    if (identity === undefined) return undefined
    const rest = target.slice(end)
    return {
      identity,
      rest,
      target: spelled.includes('%') ? functionPrefix + decodeURIComponent(spelled) + rest : target,
    }
  }

  #learn(spelled: string): FunctionIdentity | undefined {
    const full = decodeName(spelled)
    if (full === undefined || full.length > maxNameLength || !validName.test(full)) return undefined
    const identity = identityAsCalled(full, this.#defaultNamespace)
    if (identity.name === '' || identity.name.startsWith('.')) return undefined
    if (this.#identities.size >= rememberedNames) this.#identities.clear()
    this.#identities.set(spelled, identity)
    return identity
  }
}

function decodeName(spelled: string): string | undefined {
  try {
    return decodeURIComponent(spelled)
  } catch {
    return undefined
  }
}

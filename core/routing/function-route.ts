import type { FunctionIdentity } from '../provider/function-identity.ts'

/** The rule that maps `/function/{name}[.{ns}][/...]` to a function. */
export interface FunctionRoute {
  readonly identity: FunctionIdentity
  /** Raw path and query after the name, as received: empty, or starting with `/` or `?`. Percent-encoding untouched. */
  readonly rest: string
  /** Path and query for a provider, starting with `/function/`: as received, but for a percent-encoded name. */
  readonly target: string
}

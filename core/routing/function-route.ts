import type { FunctionIdentity } from '../provider/function-identity.ts'

/** The rule that maps `/function/{name}[.{ns}][/...]` to a function. */
export interface FunctionRoute {
  readonly identity: FunctionIdentity
  /** Raw path and query after the name, as received: empty, or starting with `/` or `?`. Percent-encoding untouched. */
  readonly rest: string
  /** Raw path and query as received, starting with `/function/`. */
  readonly target: string
}

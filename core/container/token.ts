declare const provided: unique symbol

/** Names a service of type `T` in the container. The interface and its token share one name. */
export type Token<T> = symbol & { readonly [provided]?: T }

/** Creates the token of a service; `name` is what errors about missing needs print. */
export function token<T>(name: string): Token<T> {
  return Symbol(name)
}

/** Returns the name a token was created with. */
export function tokenName(wanted: Token<unknown>): string {
  return wanted.description ?? 'unnamed'
}

/** What a plugin or a provider asks for: local name to token. */
export type Needs = Readonly<Record<string, Token<unknown>>>

/** The services that satisfy `N`, under the same local names. */
export type Resolved<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends Token<infer T> ? T : never
}

declare const held: unique symbol

/** A typed slot on an exchange. Reading a slot that nobody set gives its fallback, never undefined by accident. */
export interface ContextKey<T> {
  readonly name: string
  readonly fallback: T
  readonly [held]?: T
}

/** Creates a slot; two keys are the same only if they are the same object. */
export function contextKey<T>(name: string, fallback: T): ContextKey<T> {
  return { name, fallback }
}

/** A change of an object, by the path of what is changed. Paths hold keys of maps and indices of lists. */
export type Edit =
  | { readonly kind: 'set'; readonly path: Path; readonly value: unknown }
  /** Adds to the end of a list, which may be missing. */
  | { readonly kind: 'append'; readonly path: Path; readonly value: unknown }

/** Where something is in an object. */
export type Path = readonly (string | number)[]

/** The same change of the same object where it lies below `prefix`. */
export function below(prefix: Path, edit: Edit): Edit {
  return { ...edit, path: [...prefix, ...edit.path] }
}

import { parseDuration } from '../config/duration.ts'
import type { FunctionState } from '../replicas/function-state.ts'

/** Annotation by which a function sets how long its calls are held: a Go duration. */
export const holdTimeoutAnnotation = 'com.pilotlight.hold-timeout'

/** Returns how long calls of a function are held, in milliseconds: as its annotation says, if that can be read, else `defaultMs`. */
export function holdTimeoutMs(state: FunctionState | undefined, defaultMs: number): number {
  const annotated = state?.annotations[holdTimeoutAnnotation]
  return (annotated === undefined ? undefined : parseDuration(annotated)) ?? defaultMs
}

import { engine } from '../../core/config/schema.ts'

/** Every engine that `PILOTLIGHT_ENGINE` may name: a new one is tested from its first day. */
export const engines: readonly string[] = engine.options

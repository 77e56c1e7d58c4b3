import { token } from '../container/token.ts'

/** Elects one gateway of the fleet for work that must be done once. */
export interface Election {
  /**
   * Whether this gateway holds a role from now on, for `ttlMs`; taken when it is free, prolonged when it is held here. A
   * gateway that is alone, or that cannot reach the others, holds every role. Never throws.
   *
   * @param role lower-case words joined by `-`
   * @param ttlMs milliseconds after which another gateway may take the role unless it is prolonged
   */
  leads(role: string, ttlMs: number): Promise<boolean>
}

/** Token of the {@link Election}. */
export const Election = token<Election>('Election')

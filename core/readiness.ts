/** Whether the gateway should get traffic, and why not. */
export class Readiness {
  #phase: 'starting' | 'serving' | 'draining' = 'starting'
  readonly #pluginReasons: () => readonly string[]

  /** @param pluginReasons asks the plugins, while serving */
  constructor(pluginReasons: () => readonly string[]) {
    this.#pluginReasons = pluginReasons
  }

  /** Everything is set up. */
  serving(): void {
    if (this.#phase === 'starting') this.#phase = 'serving'
  }

  /** Shutdown has begun; there is no way back. */
  draining(): void {
    this.#phase = 'draining'
  }

  /** One line per reason; empty when traffic is welcome. */
  reasons(): readonly string[] {
    if (this.#phase === 'starting') return ['the gateway is starting']
    if (this.#phase === 'draining') return ['the gateway is shutting down']
    return this.#pluginReasons()
  }
}

import 'reflect-metadata' // tsyringe wants it first
import { container as tsyringe, instanceCachingFactory, type DependencyContainer } from 'tsyringe'
import { closerOf, type Teardown } from './teardown.ts'
import { tokenName, type Needs, type Resolved, type Token } from './token.ts'

/** One row of the composition root: a token, what its factory needs, and the factory. */
export interface Provider {
  register(container: Container): void
}

/**
 * Declares how a service is made. It is made once, on first use, and closed with the container, last made first.
 */
export function provide<T, N extends Needs>(of: Token<T>, needs: N, create: (deps: Resolved<N>) => T): Provider {
  return { register: (container) => container.add(of, () => create(container.resolveAll(needs))) }
}

/**
 * The container of one gateway, on tsyringe without decorators. Nobody asks it at request time.
 * tsyringe disposes nothing that a factory made: the teardown does.
 */
export class Container {
  readonly #inner: DependencyContainer
  readonly #teardown: Teardown

  constructor(providers: readonly Provider[], teardown: Teardown) {
    this.#inner = tsyringe.createChildContainer()
    this.#teardown = teardown
    for (const provider of providers) provider.register(this)
  }

  /** Registers a factory; the first `resolve` runs it. */
  add<T>(of: Token<T>, create: () => T): void {
    this.#inner.register<T>(of, {
      useFactory: instanceCachingFactory(() => {
        const made = create()
        const close = closerOf(made)
        if (close !== undefined) this.#teardown.defer(tokenName(of), close)
        return made
      }),
    })
  }

  /** Registers a value that somebody else closes. */
  addValue(of: Token<unknown>, value: unknown): void {
    this.#inner.register(of, { useValue: value })
  }

  has(of: Token<unknown>): boolean {
    return this.#inner.isRegistered(of, true)
  }

  resolve<T>(of: Token<T>): T {
    return this.#inner.resolve<T>(of)
  }

  /** @throws Error when a need is not registered; callers that speak to users check `has` first */
  resolveAll<N extends Needs>(needs: N): Resolved<N> {
    const entries = Object.entries(needs).map(([name, of]) => [name, this.resolve(of)])
    return Object.fromEntries(entries) as Resolved<N> // the same keys, each with what its token stands for
  }
}

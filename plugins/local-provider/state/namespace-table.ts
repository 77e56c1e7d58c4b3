import { Refusal } from '../refusal.ts'
import type { Namespace } from './namespace.ts'

/** The namespaces that functions may be deployed into. The default one is always there. */
export class NamespaceTable {
  readonly #default: string
  readonly #namespaces: Map<string, Namespace>

  constructor(defaultNamespace: string, stored: readonly Namespace[]) {
    this.#default = defaultNamespace
    this.#namespaces = new Map([[defaultNamespace, { name: defaultNamespace }]])
    for (const one of stored) this.#namespaces.set(one.name, one)
  }

  get default(): string {
    return this.#default
  }

  get names(): readonly string[] {
    return [...this.#namespaces.keys()].toSorted()
  }

  get all(): readonly Namespace[] {
    return [...this.#namespaces.values()]
  }

  /**
   * Returns the name of an existing namespace; the default one for an empty name.
   * @throws Refusal 400 when there is none of this name
   */
  resolve(name: string): string {
    if (name === '') return this.#default
    if (this.#namespaces.has(name)) return name
    throw new Refusal(400, `there is no namespace ${JSON.stringify(name.slice(0, 80))}`)
  }

  /** @throws Refusal 404 */
  get(name: string): Namespace {
    const found = this.#namespaces.get(name)
    if (found === undefined) throw new Refusal(404, `there is no namespace ${JSON.stringify(name.slice(0, 80))}`)
    return found
  }

  /** @throws Refusal 409 when it exists */
  create(namespace: Namespace): void {
    if (this.#namespaces.has(namespace.name)) throw new Refusal(409, `namespace "${namespace.name}" exists already`)
    this.#namespaces.set(namespace.name, namespace)
  }

  /** @throws Refusal 404 */
  update(namespace: Namespace): void {
    this.get(namespace.name)
    this.#namespaces.set(namespace.name, namespace)
  }

  /** @throws Refusal 404, or 400 for the default namespace */
  remove(name: string): void {
    this.get(name)
    if (name === this.#default) throw new Refusal(400, `namespace "${name}" is the default one and stays`)
    this.#namespaces.delete(name)
  }
}

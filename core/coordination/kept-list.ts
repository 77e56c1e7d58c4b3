import { isConfirmed, type FunctionState } from '../replicas/function-state.ts'
import type { CoordinationStore } from './coordination-store.ts'

/** The store's list of the functions that certainly exist, by which a gateway that joins later finds their records. */
export class KeptList {
  readonly #store: CoordinationStore
  /** What is in the list, as far as known here. */
  #listed = new Set<string>()

  constructor(store: CoordinationStore) {
    this.#store = store
  }

  has(key: string): boolean {
    return this.#listed.has(key)
  }

  /**
   * Enters a function whose record was written, or takes it out when the record says that it may not exist.
   * @throws GatewayError `lease_store_unavailable`
   */
  async note(state: FunctionState): Promise<void> {
    const { key } = state.identity
    if (isConfirmed(state) === this.has(key)) return
    if (this.has(key)) return this.remove(key)
    await this.#store.addKey(key)
    this.#listed.add(key)
  }

  /** @throws GatewayError `lease_store_unavailable` */
  async remove(key: string): Promise<void> {
    this.#listed.delete(key)
    await this.#store.removeKey(key)
  }

  /** Another gateway has taken a function out. */
  wasRemoved(key: string): void {
    this.#listed.delete(key)
  }

  /**
   * Reads the list.
   * @throws GatewayError `lease_store_unavailable`
   */
  async read(): Promise<readonly string[]> {
    const keys = await this.#store.keys()
    this.#listed = new Set(keys)
    return keys
  }
}

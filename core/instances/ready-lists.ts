import type { HeldInstance } from './held-instance.ts'

const none: readonly HeldInstance[] = []

/**
 * Instances by function: all of them, and those that take calls, in the order of their ids. A list is never changed: a change makes a
 * new one, so that who holds one may go on with it, and can tell by its identity whether anything has changed.
 */
export class ReadyLists {
  readonly #ready = new Map<string, readonly HeldInstance[]>()
  readonly #all = new Map<string, Map<string, HeldInstance>>()

  ready(functionKey: string): readonly HeldInstance[] {
    return this.#ready.get(functionKey) ?? none
  }

  all(functionKey: string): Iterable<HeldInstance> {
    return this.#all.get(functionKey)?.values() ?? none
  }

  add(instance: HeldInstance): void {
    const { functionKey, record } = instance
    const known = this.#all.get(functionKey) ?? new Map<string, HeldInstance>()
    this.#all.set(functionKey, known.set(record.id, instance))
    if (!instance.isReady) return
    const list = this.ready(functionKey)
    this.#ready.set(functionKey, list.toSpliced(placeOf(list, record.id), 0, instance))
  }

  remove(instance: HeldInstance): void {
    const { functionKey, record } = instance
    const known = this.#all.get(functionKey)
    known?.delete(record.id)
    if (known?.size === 0) this.#all.delete(functionKey)
    const list = this.ready(functionKey)
    const at = placeOf(list, record.id)
    if (list[at] !== instance) return
    if (list.length === 1) this.#ready.delete(functionKey)
    else this.#ready.set(functionKey, list.toSpliced(at, 1))
  }
}

/** Where an id stands in a list, or would. */
function placeOf(list: readonly HeldInstance[], id: string): number {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    const there = list[middle]?.record.id ?? ''
    if (there < id) from = middle + 1
    else to = middle
  }
  return from
}

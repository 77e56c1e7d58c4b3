import type { FunctionIdentity, FunctionState, SharedDirectory } from '#core'

/** Notes what all gateways are told, and answers as a test says. */
export class ScriptedDirectory implements SharedDirectory {
  readonly observed: FunctionState[] = []
  readonly forgotten: FunctionIdentity[] = []
  answer: () => Promise<void> = async () => {}

  observe(state: FunctionState): Promise<void> {
    this.observed.push(state)
    return this.answer()
  }

  forget(identity: FunctionIdentity): Promise<void> {
    this.forgotten.push(identity)
    return this.answer()
  }

  /** How often gateways were told of something. */
  get count(): number {
    return this.observed.length + this.forgotten.length
  }
}

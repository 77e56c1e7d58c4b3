import type { FunctionStatus, ProviderApi } from '#core'

/** A provider's lists, in memory. */
export class ListedFunctions implements ProviderApi {
  namespaces: readonly string[] | Error = ['fn']
  functions: Record<string, readonly FunctionStatus[] | Error> = {}
  /** Namespaces whose functions were listed, in order. */
  readonly asked: string[] = []
  /** Set to keep listings waiting. */
  gate: Promise<void> | undefined

  call(): never {
    throw new Error('the feed only lists')
  }

  async listNamespaces(): Promise<readonly string[]> {
    if (this.namespaces instanceof Error) throw this.namespaces
    return this.namespaces
  }

  async listFunctions(namespace: string, signal?: AbortSignal): Promise<readonly FunctionStatus[]> {
    this.asked.push(namespace)
    if (this.gate !== undefined) {
      await Promise.race([this.gate, new Promise((resolve) => signal?.addEventListener('abort', resolve))])
      signal?.throwIfAborted()
    }
    const listed = this.functions[namespace] ?? []
    if (listed instanceof Error) throw listed
    return listed
  }
}

/** A ready function of namespace `fn`, as a provider lists it. */
export const echo: FunctionStatus = {
  name: 'echo',
  namespace: 'fn',
  image: 'echo:1',
  replicas: 1,
  availableReplicas: 1,
}

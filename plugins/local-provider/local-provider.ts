import type { Clock, Logger, ProviderEndpoint } from '#core'
import type { FunctionTable } from './functions/function-table.ts'
import type { ReplicaProcesses } from './replicas/replica-processes.ts'
import type { SidecarProgram } from './replicas/sidecar-program.ts'
import type { ReportServer } from './reports/report-server.ts'
import type { Authorization } from './server/authorization.ts'
import { FunctionRoutes } from './server/function-routes.ts'
import { Invocation } from './server/invocation.ts'
import { LogRoutes } from './server/log-routes.ts'
import { NamespaceRoutes } from './server/namespace-routes.ts'
import { ProviderServer } from './server/provider-server.ts'
import { SecretRoutes } from './server/secret-routes.ts'
import type { NamespaceTable } from './state/namespace-table.ts'
import type { SecretStore } from './state/secret-store.ts'
import type { StateDirectory } from './state/state-directory.ts'
import type { StateFile } from './state/state-file.ts'
import type { StateLock } from './state/state-lock.ts'
import { StateWriter } from './state/state-writer.ts'

const host = '127.0.0.1'

/** What a provider is made of; it owns all of it. */
export interface LocalProviderParts {
  readonly directory: StateDirectory
  readonly lock: StateLock
  readonly processes: ReplicaProcesses
  readonly program: SidecarProgram
  readonly reports: ReportServer
  readonly file: StateFile
  readonly namespaces: NamespaceTable
  readonly secrets: SecretStore
  readonly functions: FunctionTable
  /** Runs again what was deployed, once sidecars can report. */
  readonly restore: () => void
  readonly authorization: Authorization
  readonly log: Logger
  readonly clock: Clock
}

/**
 * A provider that runs functions as processes of this machine.
 *
 * Order: `listen` -> `drain` -> `finishCalls`, where nobody else knows when they are over -> dispose, which ends every process and gives the state directory up.
 */
export class LocalProvider implements AsyncDisposable {
  readonly #parts: LocalProviderParts
  readonly #state: StateWriter
  readonly #server: ProviderServer
  #port = 0

  constructor(parts: LocalProviderParts, readTimeoutMs: number) {
    const { functions, namespaces, secrets, log, clock } = parts
    const state = new StateWriter({
      file: parts.file,
      snapshot: () => ({ version: 1, namespaces: [...namespaces.all], functions: [...functions.stored] }),
      log,
    })
    this.#parts = parts
    this.#state = state
    this.#server = new ProviderServer({
      authorization: parts.authorization,
      invocation: new Invocation({ functions, namespaces }),
      routes: [
        ...new FunctionRoutes({ functions, namespaces, state }).routes,
        ...new NamespaceRoutes({ functions, namespaces, secrets, state }).routes,
        ...new SecretRoutes({ secrets, namespaces }).routes,
        ...new LogRoutes({ functions, namespaces }).routes,
      ],
      log,
      clock,
      readTimeoutMs,
    })
  }

  /** Where it listens, and the credentials that it wants. */
  get endpoint(): ProviderEndpoint {
    return { url: new URL(`http://${host}:${this.#port}/`), authorization: this.#parts.authorization.header }
  }

  /** Why it cannot be used, or undefined. */
  unready(): string | undefined {
    return this.#port === 0 ? 'the local provider does not listen' : undefined
  }

  /** @throws Error when the port is taken */
  async listen(port: number): Promise<void> {
    const { directory, log, program, reports, restore } = this.#parts
    program.reportTo(await reports.listen())
    this.#port = await this.#server.listen(host, port)
    restore()
    log.info('the local provider runs functions as processes of this machine', {
      url: this.endpoint.url.href,
      stateDirectory: directory.path,
    })
  }

  /** Ends those who follow logs. Everything else goes on: calls that the gateway still has need it to the end. */
  async drain(): Promise<void> {
    this.#parts.functions.closeLogs()
  }

  /** Takes no new connections and finishes the calls it has; what is left at `deadline` is cut. */
  finishCalls(deadline: AbortSignal): Promise<void> {
    return this.#server.drain(deadline)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { functions, reports, processes, lock } = this.#parts
    this.#port = 0
    functions.closeLogs()
    await this.#server[Symbol.asyncDispose]()
    await this.#state.settled()
    await functions.stop()
    await reports[Symbol.asyncDispose]()
    processes[Symbol.dispose]()
    await lock[Symbol.asyncDispose]()
  }
}

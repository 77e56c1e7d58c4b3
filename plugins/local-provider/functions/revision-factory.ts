import { randomBytes } from 'node:crypto'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { Refusal } from '../refusal.ts'
import type { ReplicaDeps, ReplicaLimits } from '../replicas/replica-deps.ts'
import { SidecarReplica } from '../replicas/sidecar-replica.ts'
import type { SecretStore } from '../state/secret-store.ts'
import type { StateDirectory } from '../state/state-directory.ts'
import type { Deployment } from './deployment.ts'
import type { Revision } from './local-function.ts'
import { toWorkload } from './workload.ts'

/** What revisions are made with. */
export interface RevisionFactoryDeps {
  readonly catalogue: Catalogue
  readonly directory: StateDirectory
  readonly secrets: SecretStore
  readonly replicas: ReplicaDeps
  readonly settings: ReplicaLimits & {
    /** `PATH` of functions. */
    readonly path: string
  }
}

/** Turns deployments into something that replicas can be made of. */
export class RevisionFactory {
  readonly #deps: RevisionFactoryDeps

  constructor(deps: RevisionFactoryDeps) {
    this.#deps = deps
  }

  /** @throws Refusal 400 when the image is unknown, a secret is missing or a setting cannot be read */
  create(deployment: Deployment): Revision {
    const { catalogue, directory, secrets, replicas, settings } = this.#deps
    const { namespace, service } = deployment
    secrets.requireAll(deployment)
    const workload = toWorkload(deployment, {
      catalogue,
      path: settings.path,
      home: directory.homeOf(namespace, service),
      secrets: directory.secretsOf(namespace, service),
    })
    secrets.show(deployment)
    return {
      exclusive: workload.settings.fixedPort !== undefined,
      create: (log) =>
        new SidecarReplica(workload, replicas, {
          instance: `${service}-${randomBytes(4).toString('hex')}`,
          log,
          limits: settings,
        }),
    }
  }

  /** As `create`, for what is deployed already: a problem is remembered, not thrown. */
  restore(deployment: Deployment): Revision {
    try {
      return this.create(deployment)
    } catch (error) {
      if (error instanceof Refusal) return { problem: error.message }
      throw error
    }
  }
}

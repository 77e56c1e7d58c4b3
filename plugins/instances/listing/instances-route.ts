import {
  identityAsCalled,
  jsonReply,
  type InstanceDirectory,
  type KnownInstance,
  type Reply,
  type SystemRequest,
  type SystemRoute,
} from '#core'
import type { InstancePools } from '../placement/instance-pools.ts'

/** What the route works with. */
export interface InstancesRouteDeps {
  readonly directory: InstanceDirectory
  readonly pools: InstancePools
  /** Namespace of functions that are named without one. */
  readonly defaultNamespace: string
}

/** Lists the instances that this gateway knows, with what they have to do: `GET /system/instances?name=&namespace=`. */
export function instancesRoute(deps: InstancesRouteDeps): SystemRoute {
  return { methods: ['GET'], path: '/system/instances', handle: async (request) => list(deps, request) }
}

function list({ directory, pools, defaultNamespace }: InstancesRouteDeps, { query }: SystemRequest): Reply {
  const name = query.get('name') ?? ''
  const namespace = query.get('namespace') ?? ''
  const key = name === '' ? undefined : identityAsCalled(name, namespace || defaultNamespace).key
  const found = [...directory.all(key)].filter(({ record }) => namespace === '' || record.namespace === namespace)
  return jsonReply(
    200,
    found.map((instance) => entryOf(instance, pools)),
  )
}

function entryOf({ record, origin, functionKey, load }: KnownInstance, pools: InstancePools): unknown {
  const { id, name, namespace, address, port, adminPort, phase, limit, revision } = record
  const candidate = pools.of(functionKey)?.get(id)
  return {
    id,
    name,
    namespace,
    address,
    port,
    adminPort,
    origin,
    phase,
    limit,
    // A revision is the time of the change, by the sidecar's clock.
    changedAt: new Date(revision / 1000).toISOString(),
    load,
    gateway: { inFlight: candidate?.inFlight ?? 0, ejected: candidate?.health.isEjected ?? false },
  }
}

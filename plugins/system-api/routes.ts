import type { SystemHandler, SystemRequest, SystemRoute } from '#core'
import { nameSegment, noSuchPath } from './names.ts'
import type { ProviderPass } from './provider-pass.ts'

/** The handlers of the routes that do more than pass a request on. */
export interface SystemHandlers {
  readonly list: SystemHandler
  readonly deploy: SystemHandler
  readonly scale: SystemHandler
  readonly info: SystemHandler
  readonly logs: SystemHandler
}

/** The routes of the OpenFaaS management API, except `/system/alert`. */
export function systemRoutes(pass: ProviderPass, handlers: SystemHandlers): readonly SystemRoute[] {
  const asItCame = (request: SystemRequest) => pass.reply(request, request.path.slice(1) + request.search)
  const readWrite = ['GET', 'POST', 'PUT', 'DELETE']
  return [
    { methods: ['GET'], path: '/system/functions', handle: handlers.list },
    { methods: ['POST', 'PUT', 'DELETE'], path: '/system/functions', handle: handlers.deploy },
    { methods: ['GET'], path: '/system/function/{name}', handle: named(pass, 'system/function/') },
    { methods: ['POST'], path: '/system/scale-function/{name}', handle: handlers.scale },
    { methods: ['GET'], path: '/system/info', handle: handlers.info },
    { methods: readWrite, path: '/system/secrets', handle: asItCame },
    { methods: ['GET'], path: '/system/logs', handle: handlers.logs },
    { methods: ['GET'], path: '/system/namespaces', handle: asItCame },
    { methods: readWrite, path: '/system/namespace/{name}', handle: namespace(pass) },
    { methods: ['GET'], path: '/system/telemetry', handle: telemetry(pass) },
  ]
}

function named(pass: ProviderPass, folder: string): SystemHandler {
  return async (request) => {
    const segment = nameSegment(request.params['name'] ?? '')
    return segment === undefined ? noSuchPath() : pass.reply(request, folder + segment + request.search)
  }
}

/** Clients create a namespace at the path without a name. */
function namespace(pass: ProviderPass): SystemHandler {
  const folder = 'system/namespace/'
  const withName = named(pass, folder)
  return async (request) =>
    request.params['name'] === '' ? pass.reply(request, folder + request.search) : withName(request)
}

function telemetry(pass: ProviderPass): SystemHandler {
  return async (request) => pass.reply(request, `system/telemetry${request.search}`, { keepAuthorization: true })
}

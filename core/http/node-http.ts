import type * as http from 'node:http'
import type * as https from 'node:https'

/**
 * What is used of node:http as values. An `import` of that module reads every name it exports, and with `WebSocket` and its like
 * loads a whole second HTTP client: 10 MB, and a fifth of the time to start.
 */
export const { Agent, createServer, request, ServerResponse } = process.getBuiltinModule('node:http')

/** What is used of node:https as values, loaded with the first use. */
export function secureHttp(): Pick<typeof https, 'Agent' | 'createServer' | 'request'> {
  return process.getBuiltinModule('node:https')
}

/** A value of the class of that name. */
export type Agent = http.Agent
/** A value of the class of that name. */
export type ServerResponse = http.ServerResponse

/**
 * Loaded into a sidecar before its program (`--import`): says when it begins to send a report (`sent`, with the `host:port` of the
 * gateway), by what node:http publishes of its own requests before they are written.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { writeStamp } from './stamps.ts'

subscribe('http.client.request.created', (message) => {
  const { request } = message as { readonly request: ClientRequest } // node:http, diagnostics channels
  writeStamp('sent', String(request.getHeader('host')))
})

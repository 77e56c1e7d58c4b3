/**
 * Loaded into a gateway with the embedded provider (`--import`): says when a scale call was at the provider (`scale`, with the name of the
 * function), and when a process has been spawned (`spawned`), by what Node publishes of both.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { writeStamp } from './stamps.ts'

const scalePath = /^\/system\/scale-function\/([^/?.]+)/

subscribe('http.server.request.start', (message) => {
  const { request } = message as { readonly request: IncomingMessage } // node:http, diagnostics channels
  const name = scalePath.exec(request.url ?? '')?.[1]
  if (name !== undefined) writeStamp('scale', name)
})
subscribe('tracing:child_process.spawn:end', () => writeStamp('spawned', ''))

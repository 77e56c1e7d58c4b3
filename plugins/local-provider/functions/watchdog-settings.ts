import { parseDuration } from '#core'
import { Refusal } from '../refusal.ts'

/** What the variables of OpenFaaS's watchdogs say about a function. */
export interface WatchdogSettings {
  readonly mode: 'classic' | 'http'
  /** Longest time for one call, milliseconds; 0 is no limit. `exec_timeout`, else `write_timeout`. */
  readonly execTimeoutMs: number
  /** Longest time until the body of a call has been read, milliseconds; 0 is no limit. `read_timeout`, classic mode only. */
  readonly readTimeoutMs: number
  /** Most calls at a time in one replica; 0 is no limit. `max_inflight`. */
  readonly maxInflight: number
  /** Path that answers 2xx when the function is ready; empty asks only for a connection. `ready_path`. */
  readonly readyPath: string
  /** Path that answers 2xx while the function is well; empty asks only for a connection. `health_path`. */
  readonly healthPath: string
  /** Whether lines of the function are logged with date, time and stream. `prefix_logs`, default true. */
  readonly prefixLogs: boolean
  /** Port that the function insists on; undefined lets the provider choose one per replica. `upstream_url`, `PORT`, `port`. */
  readonly fixedPort: number | undefined
  /** Type of every answer in classic mode; empty repeats the request's. `content_type`. */
  readonly contentType: string
}

/** What the sidecar reads by itself: a mistake is to be told at the deployment, not when the sidecar does not start. */
const ofSidecar = {
  durations: ['healthcheck_interval', 'PILOTLIGHT_QUEUE_TIMEOUT'],
  counts: ['log_buffer_size', 'PILOTLIGHT_QUEUE_LENGTH'],
}

const modes: Readonly<Record<string, WatchdogSettings['mode']>> = {
  classic: 'classic',
  streaming: 'classic',
  serializing: 'classic',
  http: 'http',
}

const readyPathAnnotation = 'com.openfaas.ready.http.path'
const healthPathAnnotation = 'com.openfaas.health.http.path'

/**
 * Reads the settings of a function.
 *
 * @param from.mode of the catalogue; the variable `mode` overrides it
 * @throws Refusal 400 for a value that cannot be read or a mode that needs a real watchdog
 */
export function watchdogSettings(from: {
  mode: WatchdogSettings['mode']
  variables: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}): WatchdogSettings {
  const { variables, annotations } = from
  const read = (name: string): number => durationOf(name, variables[name])
  for (const name of ofSidecar.durations) read(name)
  for (const name of ofSidecar.counts) countOf(name, variables[name])
  return {
    mode: modeOf(variables['mode']) ?? from.mode,
    execTimeoutMs: read('exec_timeout') || read('write_timeout'),
    readTimeoutMs: read('read_timeout'),
    maxInflight: countOf('max_inflight', variables['max_inflight']),
    readyPath: pathOf('ready_path', variables['ready_path'] ?? annotations[readyPathAnnotation] ?? ''),
    healthPath: pathOf('health_path', variables['health_path'] ?? annotations[healthPathAnnotation] ?? ''),
    prefixLogs: variables['prefix_logs'] !== 'false',
    fixedPort: portOf(variables),
    contentType: variables['content_type'] ?? '',
  }
}

function modeOf(text: string | undefined): WatchdogSettings['mode'] | undefined {
  if (text === undefined || text === '') return undefined
  const mode = modes[text]
  if (mode !== undefined) return mode
  throw new Refusal(400, `mode "${text}" is not supported; use one of ${Object.keys(modes).join(', ')}`)
}

function durationOf(name: string, text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const milliseconds = parseDuration(text)
  if (milliseconds !== undefined) return milliseconds
  throw new Refusal(400, `${name} "${text}" is no duration; write it like 10s or 1m30s`)
}

function countOf(name: string, text: string | undefined): number {
  if (text === undefined || text === '') return 0
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Refusal(400, `${name} "${text}" is no whole number`)
}

/** The path goes into a request line as it stands. */
function pathOf(name: string, text: string): string {
  if (text === '') return ''
  const path = text.startsWith('/') ? text : `/${text}`
  if (/^[\x21-\x7e]{1,1024}$/.test(path)) return path
  throw new Refusal(400, `${name} ${JSON.stringify(text.slice(0, 80))} is no path`)
}

function portOf(variables: Readonly<Record<string, string>>): number | undefined {
  const upstream = variables['upstream_url']
  const text = upstream === undefined ? (variables['PORT'] ?? variables['port']) : portOfUrl(upstream)
  if (text === undefined || text === '') return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port > 0 && port < 65_536) return port
  throw new Refusal(400, `port "${text}" is none`)
}

function portOfUrl(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' && url.port !== '') return url.port
  throw new Refusal(400, `upstream_url "${text}" must be an http URL with a port, or be left out`)
}

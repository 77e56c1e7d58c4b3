import { projectRoot } from '../../support/source-files.ts'

/** Where a function of a profile comes from; the fields of V8's inspector protocol, `Runtime.CallFrame`. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
}

/** What is there only because somebody looks. */
const observer = 'observer'

/** Groups that say nothing of the gateway. */
export const beside: ReadonlySet<string> = new Set(['idle', observer])

/** Natives of Node that write to a socket: the system call is part of them. */
const writes = /^(?:write(?:Buffer|v|Latin1String|Utf8String|AsciiString|Ucs2String)|shutdown)$/

/** What V8 calls time of its own. */
const engineOfV8 = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'kernel reads, epoll, HTTP parser, libuv'],
  ['(idle)', 'idle'],
])

/** Modules of Node, by the beginning of their names. */
const ofNode: readonly (readonly [string, string])[] = [
  ['node:_http', 'node:http'],
  ['node:http', 'node:http'],
  ['node:internal/http', 'node:http'],
  ['node:net', 'node:net and streams'],
  ['node:_stream', 'node:net and streams'],
  ['node:stream', 'node:net and streams'],
  ['node:internal/stream', 'node:net and streams'],
  ['node:internal/streams', 'node:net and streams'],
  ['node:inspector', observer],
  ['node:', 'other of Node: events, timers, buffers, promises'],
]

/** Files of the project, by the beginning of their paths. */
const ofProject: readonly (readonly [string, string])[] = [
  ['node_modules/undici/', 'engine: undici'],
  ['node_modules/http-proxy/', 'engine: http-proxy'],
  ['test/bench/', observer],
  ['core/http1/', 'engine: h1'],
  ['core/http/', 'our side of server and engine (core/http)'],
  ['core/telemetry/', 'metrics and log'],
  ['plugins/notifier/', 'metrics and log'],
  ['node_modules/@opentelemetry/', 'metrics and log'],
  ['node_modules/pino', 'metrics and log'],
  ['core/', 'our pipeline: routing, stages, plugins, replicas'],
  ['plugins/', 'our pipeline: routing, stages, plugins, replicas'],
  ['node_modules/', 'other libraries'],
]

/** The group of a function; undefined for what belongs to whoever called it: natives, and what undici has compiled to WebAssembly. */
export function groupOf({ functionName, url }: CallFrame): string | undefined {
  const known = engineOfV8.get(functionName)
  if (known !== undefined) return known
  if (url === '') return writes.test(functionName) ? 'kernel writes' : undefined
  return firstMatch(url.startsWith('node:') ? ofNode : ofProject, fileOf(url))
}

/** A function as a list shows it. */
export function placeOf({ functionName, url }: CallFrame): string {
  return `${functionName || '(anonymous)'}${url === '' ? '' : ` (${fileOf(url)})`}`
}

/** Module of Node, or path from the root of the project. */
function fileOf(url: string): string {
  const path = url.replace(/^file:\/\//, '')
  const at = path.lastIndexOf('node_modules/')
  return at === -1 ? path.replace(`${projectRoot}/`, '') : path.slice(at)
}

function firstMatch(groups: readonly (readonly [string, string])[], path: string): string | undefined {
  return groups.find(([beginning]) => path.startsWith(beginning))?.[1]
}

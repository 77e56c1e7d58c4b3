import { parseCommand } from '#core/lean'
import { functionEnvironment, variablesOf } from '../function/function-environment.ts'
import type { FunctionSettings } from '../function/function-settings.ts'
import { frontedUpstream, loopbackUpstream } from '../function/upstream-url.ts'
import type { Environment, SettingTexts } from './setting-texts.ts'

/** Modes of OpenFaaS's watchdogs that are served. A program that reads its call and writes its answer needs no more than one kind. */
const kinds: Readonly<Record<string, 'http' | 'classic'>> = {
  http: 'http',
  classic: 'classic',
  streaming: 'classic',
  serializing: 'classic',
}

/** Least pause between two looks at a function that is ready, milliseconds. */
const leastHealthIntervalMs = 100

const upstreamNames = ['upstream_url', 'http_upstream_url']

/** Where a setting of the function comes from. */
interface FunctionSources {
  readonly texts: SettingTexts
  readonly environment: Environment
  /** Arguments after `--`. */
  readonly command: readonly string[]
  readonly directory: string
}

/** Reads how the function is run, or reached. */
export function functionFrom(sources: FunctionSources): FunctionSettings {
  const { texts, environment, directory } = sources
  const command = commandFrom(sources)
  const upstream = upstreamFrom(texts, command.length > 0)
  const mode = modeFrom(texts) ?? (upstream === undefined ? 'classic' : 'http')
  if (command.length === 0 && texts.text(...upstreamNames) === '') {
    texts.fault(
      'fprocess',
      'nothing says what to run or to front: set fprocess or upstream_url, or give a command after --',
    )
  }
  return {
    mode: command.length === 0 ? 'http' : mode,
    command,
    upstream,
    allowsRemoteUpstream: texts.flag('PILOTLIGHT_ALLOW_REMOTE_UPSTREAM', false),
    environment: { ...functionEnvironment(environment), ...ownVariables(texts) },
    directory,
    processRecords: texts.text('PILOTLIGHT_PROCESS_RECORDS') || undefined,
    maxProcesses: texts.count('PILOTLIGHT_MAX_PROCESSES', 256, { least: 1, most: 100_000 }),
    readTimeoutMs: texts.duration('read_timeout', 0),
    startTimeoutMs: texts.duration('PILOTLIGHT_START_TIMEOUT', 0),
    readyPath: pathFrom(texts, 'ready_path'),
    healthPath: pathFrom(texts, 'health_path'),
    healthIntervalMs: Math.max(leastHealthIntervalMs, texts.duration('healthcheck_interval', 5_000)),
    prefixLogs: texts.flag('prefix_logs', true),
    logLineLength: texts.nearest('log_buffer_size', 65_536, { least: 80, most: 16_777_216 }),
    contentType: texts.text('content_type'),
  }
}

/** Variables that the function has and this process must not: its Node would act on them. */
function ownVariables(texts: SettingTexts): Readonly<Record<string, string>> {
  const name = 'PILOTLIGHT_FUNCTION_ENV'
  const text = texts.text(name)
  const variables = text === '' ? {} : variablesOf(text)
  if (variables === undefined) texts.fault(name, 'expected a JSON object whose values are texts')
  return variables ?? {}
}

/** Longest time of one call: `exec_timeout`, else `write_timeout`. Milliseconds; 0 is no limit. */
export function callTimeoutMs(texts: SettingTexts): number {
  const writeTimeoutMs = texts.duration('write_timeout', 0)
  return texts.duration('exec_timeout', 0) || writeTimeoutMs
}

function commandFrom({ texts, environment, command }: FunctionSources): readonly string[] {
  if (command.length > 0) return command
  const text = texts.text('fprocess', 'function_process').trim()
  return text === '' ? [] : parseCommand(text, environment['PATH'] ?? '')
}

function modeFrom(texts: SettingTexts): 'http' | 'classic' | undefined {
  const text = texts.text('mode')
  if (text === '') return undefined
  const kind = Object.hasOwn(kinds, text) ? kinds[text] : undefined
  if (kind === undefined) {
    texts.fault('mode', `expected one of ${Object.keys(kinds).join(', ')}, got ${JSON.stringify(text)}`)
  }
  return kind
}

/** A URL that cannot be used is left out, so that its fault is the only one. */
function upstreamFrom(texts: SettingTexts, isRunHere: boolean): URL | undefined {
  const text = texts.text(...upstreamNames)
  if (text === '') return undefined
  const upstream = URL.parse(text)
  if (upstream === null) {
    texts.fault('upstream_url', `expected a URL such as http://127.0.0.1:3000, got ${JSON.stringify(text)}`)
    return undefined
  }
  try {
    if (isRunHere) loopbackUpstream(upstream)
    else frontedUpstream({ upstream, allowsRemoteUpstream: texts.flag('PILOTLIGHT_ALLOW_REMOTE_UPSTREAM', false) })
    return upstream
  } catch (error) {
    texts.fault('upstream_url', error instanceof Error ? error.message : String(error))
    return undefined
  }
}

/** The path goes into a request line as it stands. */
function pathFrom(texts: SettingTexts, name: string): string {
  const text = texts.matching(name, /^[\x21-\x7e]{1,1024}$/, 'a path such as /_/ready')
  return text === '' || text.startsWith('/') ? text : `/${text}`
}

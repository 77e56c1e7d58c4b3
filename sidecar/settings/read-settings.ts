import type { Random } from '#core/lean'
import { gatewayUrl } from '../membership/gateway-url.ts'
import { callTimeoutMs, functionFrom } from './function-from.ts'
import { instanceFrom } from './instance-from.ts'
import { sampledRatio } from './sampled-ratio.ts'
import { secretFrom } from './secret-from.ts'
import { type Environment, type SettingFault, SettingTexts } from './setting-texts.ts'
import type { SidecarSettings } from './sidecar-settings.ts'
import { sidecarVariables } from './variables.ts'

/** Where settings come from. */
export interface SettingSources {
  readonly environment: Environment
  /** Arguments after `--`. */
  readonly command: readonly string[]
  /** Working directory. */
  readonly directory: string
  readonly random: Random
}

/** Settings, and why they cannot be used: nothing is wrong when there are no faults. */
export interface ReadSettings {
  readonly settings: SidecarSettings
  readonly faults: readonly SettingFault[]
  /** What is not used as it was set, and stops nobody. */
  readonly notices: readonly SettingFault[]
}

const portRange = { least: 0, most: 65_535 }
const known = new Set(sidecarVariables.map(({ name }) => name))

/** Reads the settings of a sidecar. Finds every fault in one pass; reads the key file, changes nothing. */
export function readSettings({ environment, command, directory, random }: SettingSources): ReadSettings {
  const texts = new SettingTexts(environment)
  noteUnknownNames(texts)
  const instance = instanceFrom(texts, random)
  const settings: SidecarSettings = {
    instance,
    listen: listenFrom(texts),
    calls: callsFrom(texts),
    membership: membershipFrom(texts, instance),
    leaving: leavingFrom(texts),
    function: functionFrom({ texts, environment, command, directory }),
    functionMetrics: '',
  }
  const { faults, notices } = texts
  return { settings: { ...settings, functionMetrics: metricsFrom(texts, settings.function) }, faults, notices }
}

function listenFrom(texts: SettingTexts): SidecarSettings['listen'] {
  const listen = {
    host: texts.text('PILOTLIGHT_LISTEN_HOST'),
    port: texts.count('port', 8080, portRange),
    adminPort: texts.count('PILOTLIGHT_ADMIN_PORT', 8082, portRange),
    hasDrainPath: texts.choice('PILOTLIGHT_DRAIN_PATH', ['on', 'off']) === 'on',
    readTimeoutMs: texts.duration('read_timeout', 300_000),
    certificates: texts.text('PILOTLIGHT_INSTANCE_TLS'),
  }
  if (listen.port !== 0 && listen.port === listen.adminPort) {
    texts.fault('PILOTLIGHT_ADMIN_PORT', `is ${listen.port}, as is port: the two need different ones`)
  }
  return listen
}

function callsFrom(texts: SettingTexts): SidecarSettings['calls'] {
  return {
    limit: texts.count('max_inflight', 0, { least: 0, most: 1_000_000 }),
    timeoutMs: callTimeoutMs(texts),
    queueLength: texts.count('PILOTLIGHT_QUEUE_LENGTH', 100, { least: 0, most: 100_000 }),
    queueTimeoutMs: texts.duration('PILOTLIGHT_QUEUE_TIMEOUT', 10_000),
    sampledRatio: sampledRatio(texts),
  }
}

function membershipFrom(texts: SettingTexts, instance: SidecarSettings['instance']): SidecarSettings['membership'] {
  const gateways = texts
    .text('PILOTLIGHT_GATEWAYS')
    .split(',')
    .flatMap((entry) => (entry.trim() === '' ? [] : gatewayFrom(texts, entry.trim())))
  if (gateways.length > 0 && instance.name === '') {
    texts.fault(
      'PILOTLIGHT_FUNCTION',
      'is required with PILOTLIGHT_GATEWAYS: the name of the function, as in resize.openfaas-fn',
    )
  }
  return { gateways, secret: secretFrom(texts, instance, gateways.length > 0) }
}

function gatewayFrom(texts: SettingTexts, text: string): readonly URL[] {
  try {
    return [gatewayUrl(text)]
  } catch (error) {
    texts.fault('PILOTLIGHT_GATEWAYS', error instanceof Error ? error.message : String(error))
    return []
  }
}

function leavingFrom(texts: SettingTexts): SidecarSettings['leaving'] {
  return {
    gracePeriodMs: texts.duration('PILOTLIGHT_GRACE_PERIOD', 30_000),
    // To of-watchdog the interval is how long to go on serving after SIGTERM: whoever set it for that expects at least as much.
    quietPeriodMs: texts.duration(
      'PILOTLIGHT_QUIET_PERIOD',
      Math.max(1_000, texts.duration('healthcheck_interval', 0)),
    ),
    streams: texts.choice('PILOTLIGHT_STREAM_POLICY', ['finish', 'cut']),
    withParent: texts.choice('PILOTLIGHT_PARENT_PIPE', ['none', 'stdin']) === 'stdin',
  }
}

function metricsFrom(texts: SettingTexts, { mode }: SidecarSettings['function']): string {
  const name = 'PILOTLIGHT_FUNCTION_METRICS'
  const text = texts.matching(name, /^(?:\/|http:\/\/[^/@]+)[\x21-\x7e]*$/, 'a path such as /metrics or an http URL')
  if (text.startsWith('/') && mode === 'classic') {
    texts.fault(
      name,
      'is a path, but a program that is forked for every call has no server to ask: give a URL, or nothing',
    )
  }
  return text
}

function noteUnknownNames(texts: SettingTexts): void {
  for (const name of texts.names('PILOTLIGHT_')) if (!known.has(name)) texts.fault(name, 'unknown variable')
}

import { dirname, join } from 'node:path'
import { findProgram, MissingPrograms } from './find-program.ts'
import { haproxyConfig, type BalancerSettings } from './haproxy-config.ts'
import { nginxConfig } from './nginx-config.ts'
import { answersOk, answersPing } from './probes.ts'
import type { ProgramSpec } from './program.ts'
import type { RunFolder } from './run-folder.ts'

/** What `npm start` gives to Node; core/README.md says why. */
const startFlags = ['--min-semi-space-size=8', '--max-semi-space-size=8', '--v8-pool-size=1']

const root = join(import.meta.dirname, '../..')

/** Time for calls under way to finish when a program stops, and a little more until it is killed. */
const gracePeriodMs = 5_000
const patienceMs = 10_000

/** How programs of one run are described. */
export interface SpecContext {
  readonly folder: RunFolder
  readonly env: Readonly<Record<string, string>>
}

/** A Redis that keeps nothing. */
export function redisSpec({ folder, env }: SpecContext, port: number): ProgramSpec {
  const settings = {
    port,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    dir: folder.folder('redis'),
    'maxmemory-policy': 'noeviction',
  }
  return {
    name: 'redis',
    url: `redis://127.0.0.1:${port}`,
    logFile: folder.logOf('redis'),
    command: programPath('redis-server'),
    args: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]),
    env,
    stopSignal: 'SIGTERM',
    stopWithinMs: patienceMs,
    deathSignal: 'KILL',
    isReady: () => answersPing(port),
  }
}

/** What the local provider is told besides its options. */
export interface ProviderSettings {
  readonly port: number
  /** Base URLs of the gateways. */
  readonly announceTo: readonly string[]
  /** File with the key that gateways know reports of sidecars by. */
  readonly instanceKeyFile: string
  /** Folder with the files of the account, if there is one. */
  readonly secrets: string | undefined
  readonly options: Readonly<Record<string, unknown>>
}

/** The local provider as a process of its own. */
export function providerSpec({ folder, env }: SpecContext, settings: ProviderSettings): ProgramSpec {
  const { port, announceTo, instanceKeyFile, secrets, options } = settings
  // JSON is YAML.
  const file = folder.write('provider.yaml', JSON.stringify({ stateDirectory: providerState(folder), ...options }))
  const flags = {
    port,
    options: file,
    'announce-to': announceTo.join(','),
    'instance-key-file': instanceKeyFile,
    'grace-period': `${gracePeriodMs}ms`,
  }
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  return {
    name: 'provider',
    url: `http://127.0.0.1:${port}`,
    logFile: folder.logOf('provider'),
    command: process.execPath,
    args: [join(import.meta.dirname, 'local-provider.ts'), ...args, ...(secrets ? [`--secrets=${secrets}`] : [])],
    env,
    stopSignal: 'SIGTERM',
    stopWithinMs: gracePeriodMs + patienceMs,
    deathSignal: 'TERM', // so that it ends the functions that it runs
    isReady: () => answersOk(`http://127.0.0.1:${port}/healthz`),
  }
}

/** Where the local provider of a run keeps its state. */
export function providerState(folder: RunFolder): string {
  return folder.folder('provider')
}

/** What one gateway is told. */
export interface GatewaySettings {
  readonly name: string
  readonly port: number
  readonly metricsPort: number
  readonly providerUrl: string
  /** Empty for none. */
  readonly redisUrl: string
  readonly instanceKeyFile: string
  readonly secrets: string | undefined
  readonly pluginOptions: Readonly<Record<string, unknown>>
  /** Variables over those of all programs. */
  readonly env: Readonly<Record<string, string>>
}

/** A gateway as users run it. */
export function gatewaySpec({ folder, env }: SpecContext, settings: GatewaySettings): ProgramSpec {
  const { name, port, secrets, pluginOptions } = settings
  const config = folder.write(`${name}.yaml`, JSON.stringify({ prometheusUrl: null, pluginOptions }))
  const secretEnv = secrets === undefined ? {} : { basic_auth: 'true', secret_mount_path: secrets }
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    logFile: folder.logOf(name),
    command: process.execPath,
    args: [...startFlags, join(root, 'bin/pilotlight.js')],
    env: {
      function_namespace: 'openfaas-fn',
      PILOTLIGHT_QUIET_PERIOD: '1s',
      PILOTLIGHT_GRACE_PERIOD: `${gracePeriodMs}ms`,
      ...env,
      ...settings.env,
      ...secretEnv,
      functions_provider_url: settings.providerUrl,
      PILOTLIGHT_CONFIG: config,
      PILOTLIGHT_HOST: '127.0.0.1',
      PILOTLIGHT_PORT: String(port),
      PILOTLIGHT_METRICS_PORT: String(settings.metricsPort),
      PILOTLIGHT_REDIS_URL: settings.redisUrl,
      PILOTLIGHT_INSTANCE_KEY_FILE: settings.instanceKeyFile,
    },
    stopSignal: 'SIGTERM',
    stopWithinMs: gracePeriodMs + patienceMs,
    deathSignal: 'KILL',
    isReady: () => answersOk(`http://127.0.0.1:${port}/readyz`),
  }
}

/** The balancer; which one there is decides when none is named. @throws MissingPrograms */
export function balancerSpec(
  context: SpecContext,
  settings: BalancerSettings,
  wanted: 'haproxy' | 'nginx' | undefined,
): ProgramSpec {
  const kind = wanted ?? balancerHere()
  const common = {
    name: kind,
    url: `http://127.0.0.1:${settings.port}`,
    logFile: context.folder.logOf(kind),
    command: programPath(kind),
    env: context.env,
    stopWithinMs: 5_000,
    deathSignal: 'KILL',
    isReady: () => answersOk(`http://127.0.0.1:${settings.port}/healthz`),
  } as const
  if (kind === 'haproxy') {
    const file = context.folder.write('haproxy.cfg', haproxyConfig(settings))
    return { ...common, args: ['-db', '-f', file], stopSignal: 'SIGUSR1' }
  }
  const file = context.folder.write('nginx.conf', nginxConfig(settings, context.folder.folder('nginx')))
  return { ...common, args: ['-e', 'stderr', '-p', dirname(file), '-c', file], stopSignal: 'SIGQUIT' }
}

/** HAProxy, or nginx where only that is there. */
export function balancerHere(): 'haproxy' | 'nginx' {
  return findProgram('haproxy') === undefined && findProgram('nginx') !== undefined ? 'nginx' : 'haproxy'
}

/** @throws MissingPrograms */
function programPath(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new MissingPrograms([name])
  return path
}

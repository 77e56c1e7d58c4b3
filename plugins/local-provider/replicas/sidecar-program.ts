import { fileURLToPath } from 'node:url'
import { instanceSecret, replicaHost, type LaunchRequest } from '#core'
import type { Workload } from '../functions/workload.ts'
import type { LifePorts } from './sidecar-life.ts'

/**
 * Keep a process small that mostly waits: no thread of V8 beside the main one, and a young generation of 4 MB. In a smaller one, calls that
 * take a while are moved to the old generation before they end, which grows by a third for it.
 */
const nodeFlags: readonly string[] = ['--max-semi-space-size=4', '--v8-pool-size=0']

/** The command line of a sidecar of this installation, compiled or not. */
export const installedSidecar: readonly string[] = [
  process.execPath,
  ...nodeFlags,
  fileURLToPath(new URL('../../../bin/pilotlight.js', import.meta.url)),
  'sidecar',
]

/** What deployments may say to the sidecars of their functions; everything else of its settings is the provider's. */
const settingsOfDeployments = new Set([
  'PILOTLIGHT_QUEUE_LENGTH',
  'PILOTLIGHT_QUEUE_TIMEOUT',
  'PILOTLIGHT_STREAM_POLICY',
  'PILOTLIGHT_FUNCTION_METRICS',
])

/** Variables that change the Node of whoever has them, or the libraries below it: they are meant for the function, not for its sidecar. */
const forFunctionOnly = /^(?:NODE|UV|LD|OPENSSL|SSL|GLIBC|MALLOC)_/

/** What belongs to one start of one replica. */
export interface SidecarStart {
  readonly instance: string
  readonly ports: LifePorts
  /** Folder in which it notes the processes of the function. */
  readonly records: string
  /** Milliseconds until a server that was started is ready. */
  readonly startTimeoutMs: number
  /** Milliseconds for calls under way, and then for the function to end. */
  readonly graceMs: number
}

/** What all sidecars of a provider have in common. */
export interface SidecarProgramDeps {
  /** Of the gateways: yields the secret of each sidecar, which is given no more than that. A function can read what its sidecar has. */
  readonly key: string
  /** Gateways that they report to besides the provider. */
  readonly gateways: readonly URL[]
  /** Program and arguments. Default {@link installedSidecar}. */
  readonly command?: readonly string[] | undefined
  /** Most processes at a time that one of them forks for calls. */
  readonly maxProcesses: number
}

/** Knows how a sidecar is started: its command line and its settings. */
export class SidecarProgram {
  readonly #deps: SidecarProgramDeps
  #provider = ''

  constructor(deps: SidecarProgramDeps) {
    this.#deps = deps
  }

  /** Sidecars that are started from now on report to the provider at `url` first. */
  reportTo(url: URL): void {
    this.#provider = url.href
  }

  /** What to run for a replica of `workload`. */
  launchOf(workload: Workload, start: SidecarStart): LaunchRequest {
    const { command = installedSidecar } = this.#deps
    const variables = Object.entries(workload.environment).filter(([name]) => isOfFunction(name))
    const hidden = variables.filter(([name]) => forFunctionOnly.test(name))
    const shared = variables.filter(([name]) => !forFunctionOnly.test(name))
    return {
      command: [...command, '--', ...workload.command],
      environment: {
        ...Object.fromEntries(shared),
        PILOTLIGHT_FUNCTION_ENV: JSON.stringify(Object.fromEntries(hidden)),
        ...this.#settings(workload, start),
      },
      directory: workload.home,
      // It ends with this process, whose end of the pipe the kernel closes even when it is killed.
      stdin: 'pipe',
    }
  }

  #settings({ name, namespace, settings }: Workload, start: SidecarStart): Record<string, string> {
    const { key, gateways, maxProcesses } = this.#deps
    const { mode, readyPath, healthPath, prefixLogs } = settings
    const { calls, upstream } = start.ports
    return {
      mode,
      prefix_logs: String(prefixLogs),
      ...(readyPath === '' ? {} : { ready_path: readyPath }),
      ...(healthPath === '' ? {} : { health_path: healthPath }),
      port: String(calls),
      ...(upstream === undefined ? {} : { upstream_url: `http://${replicaHost}:${upstream}` }),
      OPENFAAS_NAME: name,
      OPENFAAS_NAMESPACE: namespace,
      PILOTLIGHT_INSTANCE_ID: start.instance,
      PILOTLIGHT_INSTANCE_ADDRESS: replicaHost,
      PILOTLIGHT_INSTANCE_SECRET: instanceSecret(key, { id: start.instance, name, namespace }),
      PILOTLIGHT_LISTEN_HOST: replicaHost,
      PILOTLIGHT_ADMIN_PORT: '0',
      // Who may take it out of service is the provider, and nobody else who can reach the port.
      PILOTLIGHT_DRAIN_PATH: 'off',
      PILOTLIGHT_PARENT_PIPE: 'stdin',
      PILOTLIGHT_GATEWAYS: [this.#provider, ...gateways.map(({ href }) => href)].join(','),
      PILOTLIGHT_START_TIMEOUT: `${start.startTimeoutMs}ms`,
      PILOTLIGHT_GRACE_PERIOD: `${start.graceMs}ms`,
      // Gateways, and the provider for everybody else, stop calling when the sidecar says that it leaves.
      PILOTLIGHT_QUIET_PERIOD: '0s',
      PILOTLIGHT_PROCESS_RECORDS: start.records,
      PILOTLIGHT_MAX_PROCESSES: String(maxProcesses),
    }
  }
}

function isOfFunction(name: string): boolean {
  return settingsOfDeployments.has(name) || !(name.startsWith('PILOTLIGHT_') || takenOver.has(name))
}

/** Read from the deployment by the provider, and told to the sidecar in its own words. */
const takenOver = new Set(['PORT', 'port', 'upstream_url'])

import type { ConfigFault } from './config-fault.ts'
import { environmentVariables } from './environment-variables.ts'
import { baseUrl, integerText, port } from './schema.ts'
import { isServiceLink } from './service-links.ts'
import { decodeTexts, firstMessage, type ReadSettings } from './text-settings.ts'

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the environment says, and remarks for the log about what it asks for in vain. */
export interface ReadEnvironment extends ReadSettings {
  readonly notices: readonly string[]
}

/** Variables that count when merely present; every other empty variable counts as not set. */
const presenceCounts = new Set(['write_request_uri'])
const known = new Set(environmentVariables.map((variable) => variable.name))

/**
 * Reads the variables of {@link environmentVariables}; all others are left alone, except that an unknown `PILOTLIGHT_`
 * name is a fault, because it is a misspelt one. What Kubernetes sets for Services of that name is ignored.
 */
export function readEnvironment(environment: Environment): ReadEnvironment {
  const found = environmentVariables.flatMap((variable) => {
    const names = [variable.name, variable.otherName ?? variable.name]
    const name = names.find((one) => valueOf(environment, one) !== undefined)
    const text = name === undefined ? undefined : valueOf(environment, name)
    return text === undefined ? [] : [{ where: `environment: ${name}`, text, decoder: variable }]
  })
  const { settings, faults } = decodeTexts(found)
  const prometheus = readPrometheus(environment)
  return {
    settings: { ...settings, ...prometheus.settings },
    faults: [...unknownNames(environment), ...faults, ...prometheus.faults],
    notices: noticesOf(environment),
  }
}

/** Returns the text of a variable, or undefined when it is not set, empty, or set by Kubernetes for a Service. */
export function valueOf(environment: Environment, name: string): string | undefined {
  const text = environment[name]
  if (text === undefined || isServiceLink(name, text)) return undefined
  return text === '' && !presenceCounts.has(name) ? undefined : text
}

function unknownNames(environment: Environment): ConfigFault[] {
  return Object.entries(environment)
    .filter(([name, text]) => name.startsWith('PILOTLIGHT_') && !known.has(name) && !isServiceLink(name, text ?? ''))
    .map(([name]) => ({ where: `environment: ${name}`, text: 'unknown variable' }))
}

/** OpenFaaS names host and port apart; either of them alone takes the other's default. */
function readPrometheus(environment: Environment): ReadSettings {
  const host = valueOf(environment, 'faas_prometheus_host')
  const portText = valueOf(environment, 'faas_prometheus_port')
  if (host === undefined && portText === undefined) return { settings: {}, faults: [] }
  // A port that is none is reported as a fault of its own variable.
  const number = integerText.pipe(port).safeParse(portText).data ?? 9090
  const url = baseUrl.safeParse(`http://${host ?? 'prometheus'}:${number}`)
  if (url.success) return { settings: { prometheusUrl: url.data }, faults: [] }
  return { settings: {}, faults: [{ where: 'environment: faas_prometheus_host', text: firstMessage(url.error) }] }
}

function noticesOf(environment: Environment): string[] {
  const nats = ['faas_nats_address', 'faas_nats_port'].filter((name) => valueOf(environment, name) !== undefined)
  if (nats.length === 0) return []
  return [
    `${nats.join(' and ')} set: asynchronous calls are not supported by this version, /async-function answers 404`,
  ]
}
